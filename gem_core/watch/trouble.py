"""Whether a job that is open needs somebody's eyes, and why. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gem_core.watch.record import JobRecord, Stage

OVERDUE_AFTER = timedelta(minutes=20)
"""A due job is asked about by the next tick, or by a batch within a quarter of an hour; one that
waits longer waits for nobody."""


class TroubleKind(StrEnum):
    """What is the matter."""

    UNDELIVERED = "undelivered"
    """It has settled, and the first ticket did not lead to a manifest."""
    OVERDUE = "overdue"
    """Nobody does what is due: the timer is silent, or ticks end before their work does."""
    NOT_ANSWERED = "not_answered"
    """GEM gave no usable answer to the last questions."""
    NOT_FOUND = "not_found"
    """GEM answers 404; the job will be lost."""
    UNKNOWN_STATUS = "unknown_status"
    """GEM answers with a status that its contract does not have, or this version does not know the
    contract."""
    UNREADABLE = "unreadable"
    """The record is not JSON, or of a newer version of the app."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is the matter with one job."""

    kind: TroubleKind
    since: datetime | None
    problem: str
    """In words; may hold GEM's own."""


def times(number: int) -> str:
    """How often, in words."""
    return "once" if number == 1 else f"{number} times"


def trouble(record: JobRecord, now: datetime) -> Trouble | None:
    """The worst that is the matter with a job; None when all is as it should be."""
    is_late = now - record.due_at > OVERDUE_AFTER
    if record.stage is Stage.DELIVERED:
        return None
    if record.stage is Stage.SETTLED:
        return _undelivered(record) if is_late or record.tickets > 1 else None
    return _nobody_asks(record) if is_late else _answers(record)


def _undelivered(record: JobRecord) -> Trouble:
    again = f"{record.due_at:%Y-%m-%d %H:%M:%S}"
    problem = f"ticket raised {times(record.tickets)}, again due at {again}"
    return Trouble(TroubleKind.UNDELIVERED, record.settled_at, problem)


def _nobody_asks(record: JobRecord) -> Trouble:
    return Trouble(
        TroubleKind.OVERDUE, record.due_at, record.last_problem or "no tick has asked GEM"
    )


def _answers(record: JobRecord) -> Trouble | None:
    """What is the matter with GEM's answers."""
    if record.failures:
        problem = f"{times(record.failures)} in a row: {record.last_problem}"
        return Trouble(TroubleKind.NOT_ANSWERED, record.checked_at, problem)
    if record.not_found:
        problem = f"GEM answered 404 {times(record.not_found)} in a row"
        return Trouble(TroubleKind.NOT_FOUND, record.not_found_since, problem)
    if record.job and record.job.status is None:
        problem = "; ".join(record.job.drift)
        return Trouble(TroubleKind.UNKNOWN_STATUS, record.checked_at, problem)
    return None
