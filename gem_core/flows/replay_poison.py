"""The stories of the poison queues: what lies there, and taking it up again. Edges come in as
arguments.

The ticket is raised before its message is taken off, so whoever dies in between leaves a message
that is replayed once more: a ticket too many does no harm.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from gem_core.errors import RecordConflict, RecordUnreadable
from gem_core.flows.manage_jobs import JobManager
from gem_core.flows.sweep import repeat_ticket
from gem_core.logs import Event, log
from gem_core.moments import optional_moment_text
from gem_core.watch.poison import PoisonMessage, is_batch, ticket_of_message
from gem_core.watch.record import Stage


class Poison(Protocol):
    """A queue of messages that failed too often; see `deliver.poison_queue`."""

    @property
    def name(self) -> str:
        """Of the queue."""
        ...

    def count(self) -> int:
        """How many messages there are, about."""
        ...

    def peek(self) -> tuple[PoisonMessage, ...]:
        """The first messages; nothing changes."""
        ...

    def take(self) -> tuple[PoisonMessage, ...]:
        """The next messages, hidden from others for a while."""
        ...

    def delete(self, message: PoisonMessage) -> None:
        """Take a message off."""
        ...

    def put_back(self, message: PoisonMessage) -> None:
        """Show a message that was taken to everybody again."""
        ...


@dataclass(frozen=True, slots=True)
class PoisonManager:
    """All that it takes to look after the poison queues."""

    manager: JobManager
    queues: tuple[Poison, ...]
    tickets: str
    """The container of the tickets."""


class Replay(StrEnum):
    """What came of one message."""

    RAISED = "ticket_raised"
    DELIVERED = "already_delivered"
    """The sweep was faster: only the message was deleted."""
    WATCHING = "still_watching"
    """The job was registered again meanwhile: only the message was deleted."""
    NOT_REGISTERED = "not_registered"
    """Nobody waits for it any more: only the message was deleted."""
    UNREADABLE = "record_unreadable"
    """The message is kept."""
    CONFLICT = "record_conflict"
    """Another writer changed the record; the message is kept."""
    BATCH = "batch"
    """Its jobs became due again by themselves: only the message was deleted."""
    UNKNOWN = "unknown_message"
    """Neither the ticket of a job nor a batch; the message is kept."""


_KEPT = {Replay.UNREADABLE, Replay.CONFLICT, Replay.UNKNOWN}
"""The results after which the message is still on its queue."""

_BY_STAGE = {
    Stage.SETTLED: Replay.RAISED,
    Stage.DELIVERED: Replay.DELIVERED,
    Stage.WATCHING: Replay.WATCHING,
}


def list_poison(poison: PoisonManager) -> dict[str, Any]:
    """How many messages each queue has, and the first of them with the jobs that they are about."""
    return {
        "queues": [{"queue": queue.name, "messages": queue.count()} for queue in poison.queues],
        "messages": [
            _shown(poison, queue, message) for queue in poison.queues for message in queue.peek()
        ],
    }


def replay_poison(
    poison: PoisonManager, job_run_ids: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """Take up every message again, or only those of some jobs; gives the result of each.

    A message that cannot be replayed is kept on its queue.
    """
    for queue in poison.queues:
        left: list[PoisonMessage] = []
        raised: set[str] = set()
        try:
            # Each message is hidden once taken, so the queue comes to an end.
            while page := queue.take():
                left += page
                for message in page:
                    job_run_id = ticket_of_message(message.text, container=poison.tickets)
                    if job_run_ids and job_run_id not in job_run_ids:
                        continue
                    if job_run_id:
                        result = _replay(poison.manager, job_run_id, raised)
                    else:
                        result = Replay.BATCH if is_batch(message.text) else Replay.UNKNOWN
                    if result not in _KEPT:
                        queue.delete(message)
                        left.remove(message)
                    yield _result(queue, message, job_run_id, result)
        finally:
            for message in left:
                queue.put_back(message)


def _replay(manager: JobManager, job_run_id: str, raised: set[str]) -> Replay:
    """Raise the ticket of one job, once for all of its messages."""
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


def _shown(poison: PoisonManager, queue: Poison, message: PoisonMessage) -> dict[str, Any]:
    job_run_id = ticket_of_message(message.text, container=poison.tickets)
    stage, tickets = _record(poison.manager, job_run_id) if job_run_id else (None, None)
    return {
        "queue": queue.name,
        "messageId": message.id,
        "jobRunId": job_run_id,
        "since": optional_moment_text(message.since),
        "stage": stage,
        "tickets": tickets,
        "isBatch": is_batch(message.text),
        "text": message.text[:1000] if job_run_id is None else None,
    }


def _record(manager: JobManager, job_run_id: str) -> tuple[str, int | None]:
    """Stage, and how often the ticket was raised."""
    try:
        stored = manager.registry.get(job_run_id)
    except RecordUnreadable:
        return Replay.UNREADABLE, None
    if stored is None:
        return Replay.NOT_REGISTERED, None
    return stored.record.stage, stored.record.tickets
