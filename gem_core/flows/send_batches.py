"""Sends due jobs to `check_batch` by a queue.

The jobs are claimed first. If the process dies before it sends, or a message is lost, the jobs are
due again after `CLAIM_TIME`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import batched

from gem_core.errors import StoreError
from gem_core.flows.check_one import DueJobResult
from gem_core.flows.checker import Batches, Checker
from gem_core.logs import Event, log
from gem_core.watch.batch import CLAIM_TIME, Batch, BatchPlan
from gem_core.watch.registry import JobRegistry, OpenJob


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
    results: list[DueJobResult] = []
    positions = range(batches.waiting(), plan.max_waiting)
    for position, jobs in zip(positions, batched(due, plan.size, strict=False), strict=False):
        if checker.clock() >= ends_at:
            break
        until = checker.clock() + CLAIM_TIME
        claims = checker.each(partial(_claim, checker.registry, until), jobs)
        batch = Batch(until, tuple(claim for claim in claims if isinstance(claim, OpenJob)))
        if batch.jobs:
            batches.send(batch, hidden_for=plan.delay(position), expires_after=CLAIM_TIME)
        results += [DueJobResult.IN_BATCH if isinstance(each, OpenJob) else each for each in claims]
    return results + [DueJobResult.REMAINING] * (len(due) - len(results))


def _claim(registry: JobRegistry, until: datetime, job: OpenJob) -> OpenJob | DueJobResult:
    """The claimed job, or why it was not claimed. An error with one marker never stops a tick."""
    try:
        return registry.claim(job, until) or DueJobResult.REMAINING
    except StoreError as error:
        log(Event.JOB_CHECK_CRASHED, job_run_id=job.job_run_id, reason=str(error))
        return DueJobResult.PROBLEM
