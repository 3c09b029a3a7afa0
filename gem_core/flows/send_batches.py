"""Sends due jobs to `check_batch` by a queue.

The jobs are claimed first. If the process dies before it sends, or a message is lost, the jobs are
due again after `CLAIM_TIME`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from gem_core.errors import StoreError
from gem_core.flows.check_run import DueJobResult
from gem_core.flows.checker import Batches, Checker
from gem_core.flows.turns import failed_share, mixed
from gem_core.logs import Event, log
from gem_core.watch.batch import CLAIM_TIME, Batch, BatchPlan
from gem_core.watch.marker import OpenJob
from gem_core.watch.registry import JobRegistry


def send_batches(
    checker: Checker,
    batches: Batches,
    plan: BatchPlan,
    due: Sequence[OpenJob],
    *,
    ends_at: datetime,
) -> list[DueJobResult]:
    """Claim and send as many due jobs as the queue has room for; returns the result of each job.

    Raises:
        StoreError: the queue could not be used.

    """
    found: dict[str, DueJobResult] = {}
    positions = range(batches.waiting(), plan.max_waiting)
    of_failed = failed_share(plan.max_waiting)
    for position, jobs in zip(positions, mixed(due, plan.size), strict=False):
        of_failed -= all(job.has_failed for job in jobs)
        if checker.clock() >= ends_at or of_failed < 0:
            break
        until = checker.clock() + CLAIM_TIME
        claims = checker.each(partial(_claim, checker.registry, until), jobs)
        batch = Batch(until, tuple(claim for claim in claims if isinstance(claim, OpenJob)))
        if batch.jobs:
            batches.send(batch, hidden_for=plan.delay(position), expires_after=CLAIM_TIME)
        for job, claim in zip(jobs, claims, strict=True):
            result = DueJobResult.IN_BATCH if isinstance(claim, OpenJob) else claim
            found[job.job_run_id] = result
    return [found.get(job.job_run_id, DueJobResult.REMAINING) for job in due]


def _claim(registry: JobRegistry, until: datetime, job: OpenJob) -> OpenJob | DueJobResult:
    """The claimed job, or why it was not claimed. An error with one marker never stops a tick."""
    try:
        return registry.claim(job, until) or DueJobResult.REMAINING
    except StoreError as error:
        log(Event.JOB_CHECK_CRASHED, job_run_id=job.job_run_id, reason=str(error))
        return DueJobResult.PROBLEM
