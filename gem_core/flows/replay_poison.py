"""Lists and replays the messages of the poison queues.

The ticket is raised before its message is deleted. If the process dies in between, the message is
replayed again, which is harmless: a ticket may be raised more than once.
"""

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Any

from gem_core.errors import RecordConflict, RecordUnreadable
from gem_core.flows.manage_jobs import JobManager
from gem_core.flows.sweep import repeat_ticket
from gem_core.logs import Event, log
from gem_core.moments import optional_moment_text
from gem_core.watch.batch import Batch
from gem_core.watch.poison import Poison, PoisonMessage, batch_of_message, job_of_message
from gem_core.watch.record import Stage


class Replay(StrEnum):
    """The result for one message."""

    RAISED = "ticket_raised"
    DELIVERED = "already_delivered"
    """The sweep has delivered the job; the message was only deleted."""
    WATCHING = "still_watching"
    """The job was registered again; the message was only deleted."""
    NOT_REGISTERED = "not_registered"
    """The job is not registered any more; the message was only deleted."""
    UNREADABLE = "record_unreadable"
    """The record cannot be read; the message is kept."""
    CONFLICT = "record_conflict"
    """Another process changed the record; the message is kept."""
    BATCH = "batch"
    """A batch: those of its jobs that nobody has checked since are due now."""
    UNKNOWN = "unknown_message"
    """Neither about a ticket nor a batch; the message is kept."""


_KEPT = {Replay.UNREADABLE, Replay.CONFLICT, Replay.UNKNOWN}
"""The results after which the message stays on its queue."""

_BY_STAGE = {
    Stage.SETTLED: Replay.RAISED,
    Stage.DELIVERED: Replay.DELIVERED,
    Stage.WATCHING: Replay.WATCHING,
}


def list_poison(manager: JobManager) -> dict[str, Any]:
    """The first messages of each queue with their jobs, and how many messages there are.

    The count is never too low (Get Queue Metadata). It includes messages that cannot be listed:
    those after the first `PAGE`, and those that a replay has taken.
    """
    found = [(queue, queue.count(), queue.peek()) for queue in manager.poison()]
    return {
        "queues": [
            {"queue": queue.name, "messages": count, "listed": len(first)}
            for queue, count, first in found
        ],
        "messages": [
            _message_json(manager, queue, message) for queue, _, first in found for message in first
        ],
    }


def replay_poison(
    manager: JobManager, job_run_ids: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """Replay every message, or only those about some jobs; yields the result for each message.

    A message that cannot be replayed stays on its queue.
    """
    for queue in manager.poison():
        remaining: list[PoisonMessage] = []
        raised: set[str] = set()
        try:
            # A message is hidden after it is taken, so this loop ends.
            while page := queue.take():
                remaining += page
                for message in page:
                    job_run_id = job_of_message(message.text)
                    if job_run_ids and job_run_id not in job_run_ids:
                        continue
                    if job_run_id:
                        result = _replay(manager, job_run_id, raised)
                    elif batch := batch_of_message(message.text):
                        result = _replay_batch(manager, batch)
                    else:
                        result = Replay.UNKNOWN
                    if result not in _KEPT:
                        queue.delete(message)
                        remaining.remove(message)
                    yield _result(queue, message, job_run_id, result)
        finally:
            for message in remaining:
                queue.put_back(message)


def _replay(manager: JobManager, job_run_id: str, raised: set[str]) -> Replay:
    """Raise the ticket of a job, but only once for all messages about this job."""
    if job_run_id in raised:
        return Replay.RAISED
    try:
        stored = manager.registry.get(job_run_id)
        result = _BY_STAGE[stored.record.stage] if stored else Replay.NOT_REGISTERED
        if stored and result is Replay.RAISED:
            repeat_ticket(manager, stored)
            raised.add(job_run_id)
    except RecordUnreadable:
        return Replay.UNREADABLE
    except RecordConflict:
        return Replay.CONFLICT
    return result


def _replay_batch(manager: JobManager, batch: Batch) -> Replay:
    """Let the next tick check the jobs of a batch, unless they were checked or claimed since."""
    for job in batch.jobs:
        manager.registry.claim(job, manager.clock())
    return Replay.BATCH


def _result(
    queue: Poison, message: PoisonMessage, job_run_id: str | None, result: Replay
) -> dict[str, Any]:
    log(Event.POISON_REPLAYED, job_run_id=job_run_id, queue=queue.name, result=result)
    return {
        "queue": queue.name,
        "messageId": message.id,
        "jobRunId": job_run_id,
        "result": result,
        "kept": result in _KEPT,
    }


def _message_json(manager: JobManager, queue: Poison, message: PoisonMessage) -> dict[str, Any]:
    job_run_id, batch = job_of_message(message.text), batch_of_message(message.text)
    stage, tickets = _stage_and_tickets(manager, job_run_id) if job_run_id else (None, None)
    in_batch = [job.job_run_id for job in batch.jobs] if batch else []
    return {
        "queue": queue.name,
        "messageId": message.id,
        "jobRunId": job_run_id,
        "jobRunIds": [job_run_id] if job_run_id else in_batch,
        "since": optional_moment_text(message.since),
        "expiresAt": optional_moment_text(message.expires_at),
        "stage": stage,
        "tickets": tickets,
        "isBatch": batch is not None,
        "text": None if job_run_id or batch else message.text[:1000],
    }


def _stage_and_tickets(manager: JobManager, job_run_id: str) -> tuple[str, int | None]:
    """The stage of a job, and how often its ticket was raised (None when that is unknown)."""
    try:
        stored = manager.registry.get(job_run_id)
    except RecordUnreadable:
        return Replay.UNREADABLE, None
    if stored is None:
        return Replay.NOT_REGISTERED, None
    return stored.record.stage, stored.record.tickets
