"""Due jobs handed to `check_batch` by a queue. Edges come in as arguments.

They are claimed first. A process that dies before it sends, and a message that is lost, leave jobs
that are due again after `HANDED_OUT`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import batched

from gem_core.errors import StoreError
from gem_core.flows.check_one import Done
from gem_core.flows.checker import Batches, Checker
from gem_core.logs import Event, log
from gem_core.watch.batch import HANDED_OUT, Batch, Plan
from gem_core.watch.registry import JobRegistry, OpenJob


def hand_out(
    checker: Checker, batches: Batches, plan: Plan, due: Sequence[OpenJob], *, ends_at: datetime
) -> list[Done]:
    """Put due jobs on the queue, as many as it has room for; what came of each.

    Raises:
        StoreError: the queue could not be used.

    """
    done: list[Done] = []
    places = range(batches.waiting(), plan.room)
    for place, jobs in zip(places, batched(due, plan.size, strict=False), strict=False):
        if checker.clock() >= ends_at:
            break
        until = checker.clock() + HANDED_OUT
        claims = checker.each(partial(_claim, checker.registry, until), jobs)
        batch = Batch(until, tuple(claim for claim in claims if isinstance(claim, OpenJob)))
        if batch.jobs:
            batches.send(batch, hidden=plan.delay(place), kept=HANDED_OUT)
        done += [Done.HANDED_OUT if isinstance(each, OpenJob) else each for each in claims]
    return done + [Done.LEFT] * (len(due) - len(done))


def _claim(registry: JobRegistry, until: datetime, job: OpenJob) -> OpenJob | Done:
    """The job when it is ours now. One marker that cannot be moved never stops a tick."""
    try:
        return registry.claim(job, until) or Done.LEFT
    except StoreError as error:
        log(Event.JOB_CHECK_CRASHED, job_run_id=job.job_run_id, reason=str(error))
        return Done.PROBLEM
