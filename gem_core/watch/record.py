"""What we know about a job, and how that may change. Pure.

GEM's words are in `gem.job`; the words here are ours. A record changes by making the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome

MAX_HISTORY = 100
"""Entries kept; a job that changes its mind more often keeps its first and its latest ones."""


class Stage(StrEnum):
    """What we still have to do about a job."""

    WATCHING = "watching"
    """Ask GEM until the job has ended."""
    SETTLED = "settled"
    """It has ended for us: audit and deliver."""
    DELIVERED = "delivered"
    """The manifest was sent."""


class Settlement(StrEnum):
    """Why we stopped asking."""

    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class StatusChange:
    """The first time that a status was seen after another one."""

    at: datetime
    status: str
    """GEM's word as it came, or "not_found" for an answer 404."""


NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class ProgressReading:
    """How far a job was when GEM told this for the first time."""

    at: datetime
    percent: float


@dataclass(frozen=True, slots=True)
class JobRecord:
    """All that is kept about one registered job."""

    job_run_id: str
    registered_at: datetime
    due_at: datetime
    """Watching: when to ask GEM next. Settled: when to raise the ticket again."""

    stage: Stage = Stage.WATCHING
    labels: Mapping[str, str] = field(default_factory=dict)
    """Given at registration, handed back in the manifest."""
    expected_input_name: str | None = None

    times_checked: int = 0
    """How often GEM was asked."""
    checked_at: datetime | None = None
    failures: int = 0
    """Requests in a row without a usable answer."""
    last_problem: str | None = None
    not_found: int = 0
    """Answers 404 in a row."""
    not_found_since: datetime | None = None
    job: GemJob | None = None
    """GEM's last usable answer."""
    history: tuple[StatusChange, ...] = ()
    progress: tuple[ProgressReading, ...] = ()
    """The first that GEM told, and its present one if that is another."""

    settlement: Settlement | None = None
    settled_at: datetime | None = None
    tickets: int = 0
    """How often the ticket was raised."""

    outcome: Outcome | None = None
    manifest_id: str | None = None
    delivered_at: datetime | None = None
    redelivered_at: datetime | None = None
    """When an operator last asked for the manifest again."""

    extra: Mapping[str, Any] = field(default_factory=dict)
    """Stored members that a newer version of the app added; kept as they are."""

    def answered(self, job: GemJob, now: datetime) -> "JobRecord":
        """GEM answered with a job."""
        return replace(
            self._asked(now),
            job=job,
            progress=_progress(self.progress, job.progress, now),
            history=_with(self.history, job.status_text, now),
            failures=0,
            last_problem=None,
            not_found=0,
            not_found_since=None,
        )

    def answered_not_found(self, now: datetime) -> "JobRecord":
        """GEM answered 404."""
        return replace(
            self._asked(now),
            history=_with(self.history, NOT_FOUND, now),
            failures=0,
            last_problem="GEM answered 404: it knows no such job, or hides it from this identity",
            not_found=self.not_found + 1,
            not_found_since=self.not_found_since or now,
        )

    def not_answered(self, problem: str, now: datetime) -> "JobRecord":
        """The request failed; that says nothing about the job."""
        return replace(self._asked(now), failures=self.failures + 1, last_problem=problem)

    def due(self, at: datetime) -> "JobRecord":
        """Act on it again at that time."""
        return replace(self, due_at=at)

    def settled(self, settlement: Settlement, now: datetime) -> "JobRecord":
        """The job has ended for us."""
        return replace(self, stage=Stage.SETTLED, settlement=settlement, settled_at=now)

    def ticketed(self) -> "JobRecord":
        """Its ticket is about to be raised (once more)."""
        return replace(self, tickets=self.tickets + 1)

    def delivered(self, outcome: Outcome, manifest_id: str, now: datetime) -> "JobRecord":
        """The manifest was sent."""
        return replace(
            self, stage=Stage.DELIVERED, outcome=outcome, manifest_id=manifest_id, delivered_at=now
        )

    def to_redeliver(self, now: datetime) -> "JobRecord":
        """An operator wants the manifest again, from the output as it is now."""
        return replace(self, stage=Stage.SETTLED, tickets=0, due_at=now, redelivered_at=now)

    def is_same_delivery(self, other: "JobRecord") -> bool:
        """Whether a manifest made for the one serves the other too.

        Not when the job was forgotten and registered again, or asked for again, in between.
        """
        return (self.registered_at, self.redelivered_at) == (
            other.registered_at,
            other.redelivered_at,
        )

    def _asked(self, now: datetime) -> "JobRecord":
        return replace(self, times_checked=self.times_checked + 1, checked_at=now)


def _with(
    history: tuple[StatusChange, ...], status: str, now: datetime
) -> tuple[StatusChange, ...]:
    """The history with one more sighting, if the status is new; the middle gives way when long."""
    if history and history[-1].status == status:
        return history
    if len(history) >= MAX_HISTORY:
        history = history[: MAX_HISTORY // 2] + history[MAX_HISTORY // 2 + 1 :]
    return (*history, StatusChange(now, status))


def _progress(
    known: tuple[ProgressReading, ...], percent: float | None, now: datetime
) -> tuple[ProgressReading, ...]:
    """With GEM's present progress; a job that went back or tells none any more begins anew."""
    if percent is None:
        return ()
    if known and known[-1].percent == percent:
        return known
    if not known or percent < known[-1].percent:
        return (ProgressReading(now, percent),)
    return known[0], ProgressReading(now, percent)
