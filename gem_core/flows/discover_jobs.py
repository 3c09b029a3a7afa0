"""Adds jobs of GEM's list that nobody registered. Nothing else is concluded from the list."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

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

MAX_TIME = timedelta(seconds=30)
"""How long jobs of one list may be looked up and added, so that the next tick is not late. The
others wait for the next list."""


def discover_jobs(checker: Checker, open_jobs: Sequence[OpenJob], *, ends_at: datetime) -> None:
    """Ask GEM for its list if it is time, and register the jobs that are wanted and unknown.

    A problem is only logged: a tick does not depend on the list.
    """
    discovery = checker.discovery
    if discovery is None or not discovery.may_be_due(checker.clock()):
        return
    try:
        lease = checker.limiter.acquire()
        if lease is None:
            return  # other runs hold all of them: the next tick tries again
        try:
            if not discovery.claim(checker.clock()):
                return
            jobs = _listed(checker.gem, lambda: lease.wait(ends_at))
        finally:
            lease.release()
        ends_at = min(ends_at, checker.clock() + MAX_TIME)
        added = _add(checker, discovery, jobs, {job.job_run_id for job in open_jobs}, ends_at)
        _drop_tombstones(checker, discovery, ends_at)
    except (GemError, StoreError) as error:
        log(Event.DISCOVERY_FAILED, reason=str(error))
        return
    log(
        Event.JOBS_LISTED,
        listed=len(jobs),
        added=added.count(True),
        remaining=added.count(None),
    )


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
    checker: Checker,
    discovery: Discovery,
    jobs: Sequence[GemJob],
    open_ids: Collection[str],
    ends_at: datetime,
) -> list[bool | None]:
    """Register what is wanted and unknown, in random order, so that each job has its chance.

    Returns:
        Whether each wanted job was added; None for those that wait for the next list.

    """
    now = checker.clock()
    wanted = {
        job.job_run_id: checker.jitter()
        for job in jobs
        if job.job_run_id not in open_ids and discovery.wants(job, now)
    }

    def add(job_run_id: str) -> bool | None:
        return _add_one(checker, job_run_id) if checker.clock() < ends_at else None

    return checker.each(add, sorted(wanted, key=wanted.__getitem__))


def _add_one(checker: Checker, job_run_id: str) -> bool:
    """Register a job if it is unknown. A job that somebody removed stays away."""
    try:
        if checker.registry.get(job_run_id):
            return False
    except RecordUnreadable:
        return False
    # In this order: a removal writes the tombstone first, then deletes the record.
    if checker.registry.tombstones.has(job_run_id):
        return False
    # If somebody removes the job just now, its first check finds the tombstone.
    if not checker.registry.add(discovered(job_run_id, checker.clock())):
        return False
    log(Event.JOB_DISCOVERED, job_run_id=job_run_id)
    return True


def _drop_tombstones(checker: Checker, discovery: Discovery, ends_at: datetime) -> None:
    """Drop the tombstones of jobs that are too old to be discovered."""
    before = checker.clock() - discovery.max_age - CLOCK_SLACK
    checker.registry.tombstones.drop(before=before, may_go_on=lambda: checker.clock() < ends_at)
