"""A fake installation in which every diagnostic passes, unless a test changes a part."""

import base64
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gem_core.doctor.diagnostics import DIAGNOSTICS, run_diagnostics
from gem_core.doctor.finding import Finding
from gem_core.doctor.installation import Installation
from gem_core.errors import GemJobNotFound, GemUnauthorized, StoreError, StoreMissing
from gem_core.gem.job import GemJob
from gem_core.settings.app_settings import Settings, read_settings
from gem_core.watch.heartbeat import Tick
from gem_core.watch.record import JobRecord
from gem_core.watch.store_claim import Ticker
from tests.builders import World
from tests.fakes import MemoryDocuments

SETTINGS = {
    "GEM_API_KEY": "key",
    "GEM_STATE": "UseDevelopmentStorage=true",
    "GEM_OUTPUT": "UseDevelopmentStorage=true",
    "GEM_CHECK_SCHEDULE": "0 * * * * *",
}
SCOPE = "https://gem.core.orbis.tomtom.com"


def settings(**changes: str) -> Settings:
    return read_settings(SETTINGS | changes)


class Raising:
    """GEM, a token or a queue whose every method raises one error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_job(self, job_run_id: str) -> GemJob:  # noqa: ARG002 - GEM's signature
        raise self.error

    def token(self) -> str:
        raise self.error

    def count(self) -> int:
        raise self.error

    def waiting(self) -> int:
        raise self.error

    def try_send(self) -> None:
        raise self.error

    def oldest_at(self) -> datetime | None:
        raise self.error


@dataclass
class Results:
    """A queue to send to."""

    messages: int = 0
    error: StoreError | None = None
    oldest: datetime | None = None

    def oldest_at(self) -> datetime | None:
        return self.oldest

    def waiting(self) -> int:
        return self.messages

    def count(self) -> int:
        return self.messages

    def try_send(self) -> None:
        if self.error:
            raise self.error


@dataclass
class Token:
    """A token that is always available."""

    text: str

    def token(self) -> str:
        return self.text


def jwt(**claims: Any) -> str:  # noqa: ANN401 - any JSON value
    """An unsigned token."""
    parts = ({"alg": "none"}, claims)
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    return ".".join(part.decode() for part in coded) + ".secret-signature"


@dataclass
class FakeInstallation:
    """A world of fakes, and an installation in it."""

    world: World = field(default_factory=World)
    changes: dict[str, Any] = field(default_factory=dict)
    recent: tuple[JobRecord, ...] = ()
    stores: dict[str, MemoryDocuments] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world.heartbeat.start(self.world.clock())
        self.world.heartbeat.end(Tick(self.world.clock(), ended_at=self.world.clock()))

    def store(self, name: str) -> MemoryDocuments:
        return self.stores.setdefault(name, MemoryDocuments(self.world.clock, name))

    @property
    def installation(self) -> Installation:
        expires = (self.world.clock() + timedelta(minutes=50)).timestamp()
        whole = Installation(
            settings=settings(),
            problems=(),
            source="a test",
            clock=self.world.clock,
            documents=self.store,
            queue=lambda _: Results(),
            poison=lambda: (Results(),),
            files=lambda: self.world.files,
            scratch=lambda: 5 << 30,
            memory=lambda: 2 << 30,
            token=lambda: Token(jwt(aud=SCOPE, exp=expires, roles=["Gem.Read"])),
            gem=lambda: Raising(GemJobNotFound("GEM answered 404")),
            anonymous=lambda: Raising(GemUnauthorized("GEM answered 401")),
            ticker=Ticker("app", "identity"),
            manager=lambda: self.world.manager,
            overture=lambda: ["changelog 2026-01-21.0"],
            recent=lambda: self.recent,
        )
        return replace(whole, **self.changes)

    def find(self, name: str, **changes: object) -> Finding:
        """The finding of one diagnostic."""
        self.changes |= changes
        return {check.name: finding for check, finding in run_diagnostics(self.installation)}[name]


NAMES = [check.name for check in DIAGNOSTICS]


def missing(container: str) -> StoreMissing:
    return StoreMissing(f"container {container!r} does not exist in GEM_STATE: create it (the …)")
