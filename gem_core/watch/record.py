"""The record of a registered job, and how it changes. Pure.

`gem.job` has GEM's terms; the terms here are the app's. A record is immutable: each change makes a
new one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome
from gem_core.watch.attempts import Attempts

MAX_HISTORY = 100
"""Entries of the history. If there are more, the first and the latest ones are stored."""


class Stage(StrEnum):
    """What the app still has to do for a job."""

    WATCHING = "watching"
    """Ask GEM until the job has ended."""
    SETTLED = "settled"
    """The app has stopped asking: audit the output and deliver the manifest."""
    DELIVERED = "delivered"
    """The manifest was sent."""


class Settlement(StrEnum):
    """Why the app stopped asking GEM about a job."""

    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class StatusChange:
    """When a status was first seen after another status."""

    at: datetime
    status: str
    """GEM's status as received, or "not_found" for a 404."""


NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class ProgressReading:
    """The progress of a job, and when GEM first reported it."""

    at: datetime
    percent: float


@dataclass(frozen=True, slots=True)
class JobRecord:
    """Everything that is stored about one registered job."""

    job_run_id: str
    registered_at: datetime
    due_at: datetime
    """Watching: when to ask GEM next. Settled: when to raise the ticket again."""

    stage: Stage = Stage.WATCHING
    labels: Mapping[str, str] = field(default_factory=dict)
    """Set at registration and copied to the manifest."""
    expected_input_name: str | None = None

    discovered: bool = False
    """Whether the app found the job in GEM's list, and nobody has registered it since."""

    times_checked: int = 0
    """How often GEM was asked."""
    checked_at: datetime | None = None
    failures: int = 0
    """Requests in a row without a usable answer."""
    last_problem: str | None = None
    not_found: int = 0
    """404 answers in a row."""
    not_found_since: datetime | None = None
    beyond_deadline: int = 0
    """Questions in a row after the deadline to which GEM answers, whatever it says."""
    job: GemJob | None = None
    """GEM's last usable answer."""
    history: tuple[StatusChange, ...] = ()
    progress: tuple[ProgressReading, ...] = ()
    """The first progress that GEM reported, and the present one if it is different."""

    settlement: Settlement | None = None
    settled_at: datetime | None = None
    tickets: int = 0
    """How often the ticket was raised since the job settled, or since its delivery was requested
    again or postponed."""
    attempts: Attempts = field(default_factory=Attempts)
    """What the runs of the present delivery have left."""

    outcome: Outcome | None = None
    manifest_id: str | None = None
    sent_to: Mapping[str, datetime] = field(default_factory=dict)
    """When the manifest was sent, by the name of the route."""
    delivered_at: datetime | None = None
    redelivered_at: datetime | None = None
    """When an operator last asked for the manifest again."""

    extra: Mapping[str, Any] = field(default_factory=dict)
    """Stored members that a newer version of the app added; they are stored again unchanged."""

    def answered(
        self, job: GemJob, now: datetime, *, is_beyond_deadline: bool = False
    ) -> "JobRecord":
        """GEM answered with a job."""
        return replace(
            self._asked(now),
            job=job,
            progress=_add_progress(self.progress, job.progress, now),
            history=_add_status(self.history, job.status_text, now),
            failures=0,
            last_problem=None,
            not_found=0,
            not_found_since=None,
            beyond_deadline=self.beyond_deadline + 1 if is_beyond_deadline else 0,
        )

    def answered_not_found(self, now: datetime, *, is_beyond_deadline: bool = False) -> "JobRecord":
        """GEM answered 404.

        A first 404 later than now comes from a wrong clock: the time is counted from now on.
        """
        return replace(
            self._asked(now),
            history=_add_status(self.history, NOT_FOUND, now),
            failures=0,
            last_problem=(
                "GEM answered 404: there is no such job, or this identity may not see it"
            ),
            not_found=self.not_found + 1,
            not_found_since=min(self.not_found_since or now, now),
            beyond_deadline=self.beyond_deadline + 1 if is_beyond_deadline else 0,
        )

    def not_answered(
        self, problem: str, now: datetime, *, is_beyond_deadline: bool = False
    ) -> "JobRecord":
        """There is no usable answer.

        Args:
            problem: why, in words.
            now: when GEM was asked.
            is_beyond_deadline: whether the deadline has passed, and GEM answers, but not about this
                job.

        """
        return replace(
            self._asked(now),
            failures=self.failures + 1,
            last_problem=problem,
            beyond_deadline=self.beyond_deadline + is_beyond_deadline,
        )

    def taken_over(self, registration: "JobRecord") -> "JobRecord":
        """Somebody registered the job that the app had discovered."""
        return replace(
            self,
            discovered=False,
            labels=registration.labels,
            expected_input_name=registration.expected_input_name,
        )

    def due(self, at: datetime) -> "JobRecord":
        """The next action is due at this time."""
        return replace(self, due_at=at)

    def settled(self, settlement: Settlement, now: datetime) -> "JobRecord":
        """The app stops asking GEM about the job."""
        return replace(self, stage=Stage.SETTLED, settlement=settlement, settled_at=now)

    def ticket_raised(self) -> "JobRecord":
        """Count one more ticket; the record is stored before the ticket is raised."""
        return replace(self, tickets=self.tickets + 1)

    def sent(
        self,
        outcome: Outcome,
        manifest_id: str,
        to: Mapping[str, datetime],
        failed: Iterable[str],
        now: datetime,
    ) -> "JobRecord":
        """A run has tried to send the manifest. The job is delivered when no route is left.

        `to` says when it was sent, by the name of the route; `failed` has the names of the other
        routes. Those that a person has dropped meanwhile, and those to which another run has sent
        the manifest, are not left.
        """
        is_same = self.manifest_id == manifest_id
        known = self.attempts.pending if is_same else ()
        left = tuple(name for name in failed if name in known or not known)
        sent = replace(
            self,
            outcome=outcome,
            manifest_id=manifest_id,
            sent_to={**(self.sent_to if is_same else {}), **to},
            attempts=replace(self.attempts, pending=left),
        )
        return sent if left else sent.closed(now)

    def without_route(self, name: str, now: datetime) -> "JobRecord":
        """The manifest is not sent to a route that is left."""
        left = tuple(each for each in self.attempts.pending if each != name)
        record = replace(self, attempts=replace(self.attempts, pending=left))
        return record if left else record.closed(now)

    def delivered(self, outcome: Outcome, manifest_id: str, now: datetime) -> "JobRecord":
        """The manifest was sent to all its routes."""
        return replace(self.closed(now), outcome=outcome, manifest_id=manifest_id)

    def closed(self, now: datetime) -> "JobRecord":
        """Nothing is left to do."""
        return replace(self, stage=Stage.DELIVERED, delivered_at=now, attempts=Attempts())

    def with_attempts(self, attempts: Attempts) -> "JobRecord":
        """An audit began."""
        return replace(self, attempts=attempts)

    def postponed(self, attempts: Attempts) -> "JobRecord":
        """The delivery is tried again later, so its tickets are counted from zero."""
        due_at = attempts.postponement.until if attempts.postponement else self.due_at
        return replace(self, attempts=attempts, tickets=0, due_at=due_at)

    def to_redeliver(self, now: datetime) -> "JobRecord":
        """An operator asked for another manifest, from the output as it is now."""
        return replace(self._requested(now), sent_to={}, attempts=Attempts())

    def to_send_again(self, name: str, now: datetime) -> "JobRecord":
        """An operator asked to send the last manifest to this route again, or at once."""
        pending = dict.fromkeys((*self.attempts.pending, name))
        return replace(self._requested(now), attempts=Attempts(pending=tuple(pending)))

    def _requested(self, now: datetime) -> "JobRecord":
        return replace(self, stage=Stage.SETTLED, tickets=0, due_at=now, redelivered_at=now)

    def watched_again(self, problem: str, now: datetime) -> "JobRecord":
        """GEM must be asked again, because the record lacks what a delivery needs."""
        return replace(
            self,
            stage=Stage.WATCHING,
            settlement=None,
            settled_at=None,
            tickets=0,
            due_at=now,
            last_problem=problem,
            attempts=Attempts(),
        )

    def is_same_delivery(self, other: "JobRecord") -> bool:
        """Whether a manifest for one of these records is also a manifest for the other.

        It is not if the job was deleted and registered again, or a redelivery was requested.
        """
        return (self.registered_at, self.redelivered_at) == (
            other.registered_at,
            other.redelivered_at,
        )

    def _asked(self, now: datetime) -> "JobRecord":
        return replace(self, times_checked=self.times_checked + 1, checked_at=now)


def _add_status(
    history: tuple[StatusChange, ...], status: str, now: datetime
) -> tuple[StatusChange, ...]:
    """Add a status to the history if it is new. A long history loses entries in its middle."""
    if history and history[-1].status == status:
        return history
    if len(history) >= MAX_HISTORY:
        history = history[: MAX_HISTORY // 2] + history[MAX_HISTORY // 2 + 1 :]
    return (*history, StatusChange(now, status))


def _add_progress(
    known: tuple[ProgressReading, ...], percent: float | None, now: datetime
) -> tuple[ProgressReading, ...]:
    """Add GEM's present progress. Drop the earlier one if progress went back or is missing."""
    if percent is None:
        return ()
    if known and known[-1].percent == percent:
        return known
    if not known or percent < known[-1].percent:
        return (ProgressReading(now, percent),)
    return known[0], ProgressReading(now, percent)
