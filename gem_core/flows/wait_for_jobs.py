"""Waits until jobs are delivered. Nothing is concluded from a question that fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gem_core.errors import CourierError, RecordUnreadable, RequestError
from gem_core.watch.record import JobRecord, Stage

EVERY = timedelta(seconds=15)
"""Between two looks at the jobs. The app itself asks GEM every few minutes."""

type ReadRecord = Callable[[str], JobRecord]
"""Reads the record of a job. Raises CourierError; RequestError and RecordUnreadable are final."""


@dataclass(frozen=True, slots=True)
class Waiter:
    """The dependencies of waiting."""

    read: ReadRecord
    clock: Callable[[], datetime]
    sleep: Callable[[timedelta], object]
    on_change: Callable[[JobRecord], object]
    """Is called when a job is not as it was seen before."""
    on_failure: Callable[[str, CourierError], object]
    """Is called when a job cannot be read for now."""
    on_round: Callable[[Sequence[JobRecord]], object]
    """Is called after each look, with the jobs that are still open."""


@dataclass(slots=True)
class Waited:
    """What is known of the jobs at the end."""

    delivered: dict[str, JobRecord] = field(default_factory=dict)
    left: dict[str, JobRecord | None] = field(default_factory=dict)
    """Jobs that were not delivered in time, as they were seen last."""


def wait_for(waiter: Waiter, job_run_ids: Sequence[str], timeout: timedelta | None) -> Waited:
    """Look at jobs again and again until all are delivered, or the time is over.

    Args:
        waiter: the dependencies.
        job_run_ids: of registered jobs.
        timeout: None waits for ever.

    Raises:
        RequestError: a job is not registered, or its id is not valid.
        RecordUnreadable: only a newer version can read a record.
        CourierError: no job can be read the first time, which nobody should wait for.

    """
    found = Waited(left=dict.fromkeys(job_run_ids))
    began = waiter.clock()
    is_first = True
    while True:
        for job_run_id in tuple(found.left):
            _look(waiter, found, job_run_id, is_first=is_first)
        is_first = False
        if not found.left:
            return found
        waiter.on_round([record for record in found.left.values() if record])
        pause = EVERY if timeout is None else min(EVERY, began + timeout - waiter.clock())
        if pause <= timedelta(0):
            return found
        waiter.sleep(pause)


def _look(waiter: Waiter, found: Waited, job_run_id: str, *, is_first: bool) -> None:
    try:
        record = waiter.read(job_run_id)
    except (RequestError, RecordUnreadable):
        raise
    except CourierError as error:
        if is_first:
            raise
        waiter.on_failure(job_run_id, error)
        return
    if _seen(record) != _seen(found.left[job_run_id]):
        waiter.on_change(record)
    found.left[job_run_id] = record
    if record.stage is Stage.DELIVERED:
        found.delivered[job_run_id] = record
        del found.left[job_run_id]


def _seen(record: JobRecord | None) -> object:
    """What a person sees of a record."""
    if record is None:
        return None
    job = record.job
    return (
        record.stage,
        record.settlement,
        job and (job.status_text, job.progress),
        record.attempts.postponement is not None,
    )
