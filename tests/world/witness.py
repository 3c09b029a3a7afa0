"""What the world has seen: requests, records, outputs, manifests; and who is owed a manifest."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from gem_core.settings.route import Route
from tests.fakes import MemoryDocuments
from tests.world.audit import Auditing
from tests.world.plan import Deed
from tests.world.routes import ALL


@dataclass(slots=True)
class Asked:
    """A request from outside."""

    deed: Deed
    job_run_id: str
    began: float
    ended: float = float("inf")
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A manifest on the queue."""

    at: float
    id: str
    etag: str
    """Of the output that was audited; empty without an audit."""
    registration: tuple[str, str]
    """Which one it speaks of: its time and its labels."""
    route: str


@dataclass(slots=True)
class Version:
    """One version of an output."""

    etag: str
    body: bytes
    until: float = float("inf")


@dataclass(slots=True)
class Witness:
    """Everything that was asked for and written, and who is owed a manifest."""

    seconds: Callable[[], float]
    teller: Callable[[], str]
    """Which story is at work."""
    worklist: MemoryDocuments
    manifests: MemoryDocuments
    failures: MemoryDocuments
    gem_said: Mapping[str, set[str]]
    job_deadline: timedelta
    auditing: Auditing
    routes: tuple[Route, ...]
    breaches: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    sent: dict[str, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    ids: dict[tuple[str, ...], set[str]] = field(default_factory=lambda: defaultdict(set))
    """By job, its registration, output ETag and ruleset."""
    versions: dict[str, list[Version]] = field(default_factory=lambda: defaultdict(list))
    """Of each output, by its name."""
    bodies: dict[str, str] = field(default_factory=dict)
    """What was sent, by its id."""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """As they are stored now."""
    stored: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """Every manifest that ever was in the outbox, by the job."""
    written_at: dict[str, float] = field(default_factory=dict)
    """When each record was written last."""
    keep: float = 0
    """Seconds for which delivered jobs are kept; 0: for ever."""
    deleted: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """The records that were deleted because they were old, by the job."""
    asking: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Who asks GEM just now, by the job."""
    to_discover: tuple[str, ...] = ()
    """Jobs that GEM's list has at the end."""
    discovers: bool = False
    is_slow: bool = False
    """Whether a claim may have ended before its question did, because a call took long."""
    is_clock_wrong: bool = False
    """Whether the clock that the app reads was set. Claims may have ended early, and the times that
    it wrote say nothing."""
    is_told_the_time: bool = False
    """Whether the app knows storage's clock."""
    leased_at: float = float("-inf")
    """When a lease of the rate limiter was written last."""

    def was_forgotten(self, job_run_id: str) -> bool:
        """Whether somebody asked to remove the job."""
        return any(a.deed is Deed.FORGET and a.job_run_id == job_run_id for a in self.asked)

    def _is_removed(self, job_run_id: str) -> bool:
        """Whether a removal was answered, and nobody registered the job during it or since."""
        of_job = [each for each in self.asked if each.job_run_id == job_run_id]
        return any(
            forgetting.deed is Deed.FORGET
            and forgetting.answered
            and not any(
                each.deed is Deed.REGISTER and each.ended >= forgetting.began for each in of_job
            )
            for forgetting in of_job
        )

    def _registration(self, times: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[str, str]:
        """Its time, and its labels unless a registration may change those of a discovered job."""
        labels = "" if self.discovers else json.dumps(data["labels"])
        return times["registeredAt"], labels

    def owed(self) -> list[Asked]:
        """Registrations and redeliveries that were answered, and not forgotten since."""
        return [
            each
            for each in self.asked
            if each.answered
            and each.deed in {Deed.REGISTER, Deed.REDELIVER, Deed.RESEND}
            and not any(
                other.deed is Deed.FORGET
                and other.job_run_id == each.job_run_id
                and other.ended >= each.began
                for other in self.asked
            )
        ]

    def lost(self) -> list[Asked]:
        """What is owed and was not sent."""
        every = [route.name for route in self.routes if route.takes_every_job]
        return [
            each
            for each in self.owed()
            if not all(
                self._was_answered(each, name)
                for name in ([ALL.name] if each.deed is Deed.RESEND else every)
            )
        ]

    def _was_answered(self, asked: Asked, route: str) -> bool:
        # A registration may be that of a job which is known, and whose route was dropped before.
        since = 0 if asked.deed is Deed.REGISTER else asked.began
        if route == ALL.name and self._was_dropped(asked.job_run_id, since):
            return True
        now = self.records.get(asked.job_run_id)
        records = [*self.deleted[asked.job_run_id], *([now] if now else [])]
        if asked.deed is Deed.REGISTER:
            records = records[-1:]
        registrations = {self._registration(record, record) for record in records}
        sent_for_it = [
            sent
            for sent in self.sent[asked.job_run_id]
            if sent.route == route and sent.registration in registrations
        ]
        if asked.deed is Deed.REGISTER:
            return bool(sent_for_it)
        if asked.deed is Deed.RESEND:
            return any(sent.at >= asked.began for sent in sent_for_it)
        return any(
            sent.at >= asked.began and self._stood_at(sent.etag, asked.began)
            for sent in sent_for_it
        )

    def _was_dropped(self, job_run_id: str, since: float) -> bool:
        """Whether somebody gave up the route `gem-all` for a job; it may have been done although
        the answer was lost.
        """
        return any(
            each.deed is Deed.DROP_ROUTE and each.job_run_id == job_run_id and each.ended >= since
            for each in self.asked
        )

    def _stood_at(self, etag: str, at: float) -> bool:
        """Whether the output was not replaced before that time."""
        found = [v for versions in self.versions.values() for v in versions if v.etag == etag]
        return not found or found[0].until >= at
