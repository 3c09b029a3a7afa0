"""Takes messages off a poison queue for which nothing is to be done any more.

The sweep delivers a job while the message about its ticket still lies on the queue, for seven days.
Until then the message would be counted, and the alert about it would not end.
"""

from dataclasses import dataclass
from datetime import datetime

from gem_core.errors import RecordUnreadable
from gem_core.logs import Event, log
from gem_core.watch.poison import Poison, batch_of_message, job_of_message
from gem_core.watch.record import Stage
from gem_core.watch.registry import JobRegistry


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove_done` did, and found."""

    count: int
    """Messages that were deleted."""
    oldest_at: datetime | None
    """When the oldest of the others was put on the queue; None without others."""


def remove_done(queue: Poison, registry: JobRegistry, now: datetime) -> Removed:
    """Delete such messages among the first of a queue, which are its oldest.

    Only a message that was taken can be deleted, and a taken one is hidden from people. So the
    queue is only looked at first.

    Raises:
        StoreError: the queue or a record could not be read or written.

    """
    first = queue.peek()
    done = {each.id for each in first if _is_done(each.text, registry, now)}
    times = [each.since for each in first if each.since and each.id not in done]
    oldest_at = min(times, default=None)
    if not done:
        return Removed(0, oldest_at)
    taken = list(queue.take())
    removed = 0
    try:
        while taken:
            message = taken[-1]
            if message.id in done:
                queue.delete(message)
                removed += 1
                job_run_id = job_of_message(message.text)
                log(Event.POISON_REMOVED, job_run_id=job_run_id, queue=queue.name)
            else:
                queue.put_back(message)
            taken.pop()
    finally:
        for message in taken:
            queue.put_back(message)
    return Removed(removed, oldest_at)


def _is_done(text: str, registry: JobRegistry, now: datetime) -> bool:
    """Whether the job waits for no delivery, or the jobs of the batch are due without it."""
    job_run_id = job_of_message(text)
    if job_run_id:
        try:
            stored = registry.get(job_run_id)
        except RecordUnreadable:
            return False
        return stored is None or stored.record.stage is not Stage.SETTLED
    batch = batch_of_message(text)
    return batch is not None and batch.until <= now
