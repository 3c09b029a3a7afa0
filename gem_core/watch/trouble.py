"""Decides whether an open job needs attention, and why. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gem_core.watch.poison import PoisonMessage
from gem_core.watch.record import JobRecord, Stage

OVERDUE_AFTER = timedelta(minutes=20)
"""The next tick, or a batch within 15 minutes, does what is due. If a job is due for longer than
this, no tick has handled it."""


class TroubleKind(StrEnum):
    """The kind of a problem."""

    UNDELIVERED = "undelivered"
    """The job has settled, but its first ticket did not lead to a manifest."""
    POSTPONED = "postponed"
    """The delivery has failed for more than an hour, for a reason that may pass."""
    POISON = "poison"
    """The ticket failed five times, and its message lies on a poison queue."""
    OVERDUE = "overdue"
    """The job is due, but was not checked: the timer is silent, or ticks have too little time."""
    NOT_ANSWERED = "not_answered"
    """GEM gave no usable answer to the last requests."""
    NOT_FOUND = "not_found"
    """GEM answers 404; the job will be lost."""
    UNKNOWN_STATUS = "unknown_status"
    """The contract does not have GEM's status, or this version does not know the contract."""
    UNREADABLE = "unreadable"
    """The record is not valid JSON, or a newer version of the app wrote it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The problem of one job."""

    kind: TroubleKind
    since: datetime | None
    problem: str
    """A text for people; may contain text of GEM."""


def times(number: int) -> str:
    """A number of times as text."""
    return "once" if number == 1 else f"{number} times"


def in_a_row(number: int) -> str:
    """A number of times, one directly after the other, as text."""
    return times(number) if number == 1 else f"{times(number)} in a row"


def trouble(
    record: JobRecord, now: datetime, poison: PoisonMessage | None = None
) -> Trouble | None:
    """The worst problem of a job; None when it needs no attention.

    Args:
        record: the job's record.
        now: the present time.
        poison: the message about the job's ticket, if it lies on a poison queue.

    """
    is_late = now - record.due_at > OVERDUE_AFTER
    if record.stage is Stage.DELIVERED:
        return None
    if record.stage is Stage.SETTLED:
        return _of_delivery(record, now, poison, is_late=is_late)
    return _overdue(record) if is_late else _problem_of_answers(record)


def _of_delivery(
    record: JobRecord, now: datetime, poison: PoisonMessage | None, *, is_late: bool
) -> Trouble | None:
    again = f"due again at {record.due_at:%Y-%m-%d %H:%M:%S}"
    last = record.attempts.postponement
    if last and last.is_trouble(now):
        problem = f"postponed {times(last.times)}, {again}: {last.reason}"
        return Trouble(TroubleKind.POSTPONED, last.since, problem)
    if poison:
        problem = f"its ticket failed too often, {again}: see the log of deliver_results"
        return Trouble(TroubleKind.POISON, poison.since, problem)
    if is_late or record.tickets > 1:
        problem = f"ticket raised {times(record.tickets)}, {again}"
        return Trouble(TroubleKind.UNDELIVERED, record.settled_at, problem)
    return None


def _overdue(record: JobRecord) -> Trouble:
    return Trouble(
        TroubleKind.OVERDUE, record.due_at, record.last_problem or "no tick has asked GEM"
    )


def _problem_of_answers(record: JobRecord) -> Trouble | None:
    if record.failures:
        problem = f"{in_a_row(record.failures)}: {record.last_problem}"
        return Trouble(TroubleKind.NOT_ANSWERED, record.checked_at, problem)
    if record.not_found:
        problem = f"GEM answered 404 {in_a_row(record.not_found)}"
        return Trouble(TroubleKind.NOT_FOUND, record.not_found_since, problem)
    if record.job and record.job.status is None:
        problem = "; ".join(record.job.drift)
        return Trouble(TroubleKind.UNKNOWN_STATUS, record.checked_at, problem)
    return None
