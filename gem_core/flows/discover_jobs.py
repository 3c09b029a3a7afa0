"""Adds jobs of GEM's list that nobody registered. Nothing else is concluded from the list."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from gem_core.errors import (
    GemAnswerError,
    GemError,
    GemJobNotFound,
    GemUnavailable,
    RecordUnreadable,
    StoreError,
)
from gem_core.flows.ask_gem import Gem
from gem_core.flows.checker import Checker
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.watch.discovery import CLOCK_SLACK, Discovery, discovered
from gem_core.watch.marker import OpenJob


def discover_jobs(checker: Checker, open_jobs: Sequence[OpenJob], *, ends_at: datetime) -> None:
    """Ask GEM for its list if it is time, and register the jobs that are wanted and unknown.

    A problem is only logged: a tick does not depend on the list.
    """
    discovery = checker.discovery
    if discovery is None:
        return
    try:
        lease = checker.limiter.acquire() if discovery.claim(checker.clock()) else None
        if lease is None:
            return
        try:
            jobs = _listed(checker.gem, lambda: lease.wait(ends_at))
        finally:
            lease.release()
        added = _add(checker, discovery, jobs, {job.job_run_id for job in open_jobs})
        checker.registry.tombstones.drop(before=checker.clock() - discovery.max_age - CLOCK_SLACK)
    except (GemError, StoreError) as error:
        log(Event.DISCOVERY_FAILED, reason=str(error))
        return
    log(Event.JOBS_LISTED, listed=len(jobs), added=added)


def _listed(gem: Gem, may_ask: Callable[[], bool]) -> Sequence[GemJob]:
    """GEM's list, in the first contract in which it answers with one. Raises GemError."""
    problem: GemError = GemUnavailable("this run has no time left to ask")
    for contract in gem.contracts:
        if not may_ask():
            break
        try:
            return gem.list_jobs(contract)
        except (GemJobNotFound, GemAnswerError) as error:
            problem = error
    raise problem


def _add(
    checker: Checker, discovery: Discovery, jobs: Sequence[GemJob], open_ids: Collection[str]
) -> int:
    """Register what is wanted and unknown. A job that somebody removed stays away."""
    added = 0
    for job in jobs:
        now = checker.clock()
        job_run_id = job.job_run_id
        if job_run_id in open_ids or not discovery.wants(job, now):
            continue
        try:
            if checker.registry.get(job_run_id):
                continue
        except RecordUnreadable:
            continue
        # In this order: a removal writes the tombstone first, then deletes the record.
        if checker.registry.tombstones.has(job_run_id):
            continue
        # If somebody removes the job just now, its first check finds the tombstone.
        if checker.registry.add(discovered(job_run_id, now)):
            log(Event.JOB_DISCOVERED, job_run_id=job_run_id)
            added += 1
    return added
