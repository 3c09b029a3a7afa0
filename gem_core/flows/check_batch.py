"""Checks the jobs of one batch, which a tick sent.

If the message is lost, its jobs are due again after a while. If it arrives twice, the second run
finds that the markers have changed and asks GEM nothing.
"""

from datetime import timedelta

from gem_core.flows.check_jobs import TICK_BUDGET, check_due, counts
from gem_core.flows.checker import Checker
from gem_core.logs import Event, log
from gem_core.watch.batch import batch_from_json

LEASE_WAIT = timedelta(seconds=10)
"""How long a batch is hidden on the queue when other runs hold all leases."""


def check_batch(checker: Checker, message: str | bytes) -> None:
    """Check the jobs of one message.

    A refused key or token ends the batch. It is logged and not raised: GEM would refuse the same
    message again at once, and its jobs become due again without it.

    Raises:
        RecordUnreadable: the message is not a batch.
        StoreError: the leases could not be used, or the batch could not be put back on the queue.

    """
    batch = batch_from_json(message)
    started = checker.clock()
    time_left = batch.until - started
    if time_left <= timedelta(0):
        log(Event.BATCH_LATE, jobs=len(batch.jobs), late_seconds=-time_left.total_seconds())
        return
    run = check_due(checker, batch.jobs, ends_at=min(started + TICK_BUDGET, batch.until))
    if run is None:
        if checker.batches:
            hidden_for = LEASE_WAIT * (1 + checker.jitter())
            checker.batches.send(batch, hidden_for=hidden_for, expires_after=time_left)
        log(Event.BATCH_POSTPONED, jobs=len(batch.jobs))
        return
    log(
        Event.BATCH_CHECKED,
        jobs=len(batch.jobs),
        seconds=round((checker.clock() - started).total_seconds(), 3),
        **counts(run.results),  # type: ignore[arg-type] # mypy matches them with `traceback` too
    )
