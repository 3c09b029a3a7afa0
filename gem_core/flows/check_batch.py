"""The story of a batch: look at the jobs that a tick handed out. Edges come in as arguments.

Whatever becomes of the message, its jobs are due again after a while: one that is lost delays them,
one that comes twice finds their markers moved and asks nothing.
"""

from datetime import timedelta

from gem_core.flows.check_jobs import TICK_BUDGET, counts, run_round
from gem_core.flows.checker import Checker
from gem_core.logs import Event, log
from gem_core.watch.batch import batch_from_json

LEASE_WAIT = timedelta(seconds=10)
"""How long a batch goes back to the queue when other runs hold all leases."""


def check_batch(checker: Checker, message: str | bytes) -> None:
    """Look at the jobs of one message.

    A refused key or token ends the batch. It is logged and not raised: the same message at once
    again would be refused again, and its jobs are due again by themselves.

    Raises:
        RecordUnreadable: the message is no batch.
        StoreError: the leases, or the queue to put the batch back on, could not be used.

    """
    batch = batch_from_json(message)
    started = checker.clock()
    left = batch.until - started
    if left <= timedelta(0):
        log(Event.BATCH_LATE, jobs=len(batch.jobs), late_seconds=-left.total_seconds())
        return
    round_ = run_round(checker, batch.jobs, ends_at=min(started + TICK_BUDGET, batch.until))
    if round_ is None:
        if checker.batches:
            hidden = LEASE_WAIT * (1 + checker.jitter())
            checker.batches.send(batch, hidden=hidden, kept=left)
        log(Event.BATCH_POSTPONED, jobs=len(batch.jobs))
        return
    log(
        Event.BATCH_CHECKED,
        jobs=len(batch.jobs),
        seconds=round((checker.clock() - started).total_seconds(), 3),
        **counts(round_.done),  # type: ignore[arg-type] # facts have no names of their own here
    )
