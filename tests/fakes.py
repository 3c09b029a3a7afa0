"""Stand-ins that keep the promises of the edges; `Trap` kills between any two calls of them."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, cast

from gem_core.errors import (
    DocumentArchived,
    GemError,
    GemJobNotFound,
    OutputChanged,
    OutputError,
    OutputMissing,
    RecordConflict,
)
from gem_core.gem.contracts import known
from gem_core.gem.contracts.contract import Contract
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from gem_core.gem.job import IMPOSSIBLE_JOB, GemJob
from gem_core.storage.documents import Document, Documents, Listed, Page
from gem_core.watch.batch import Batch
from gem_core.watch.poison import Poison, PoisonMessage

START = datetime(2026, 1, 20, 10, 0, tzinfo=UTC)


class FakeClock:
    """Time that moves only by `move`."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta | None = None, **parts: float) -> None:
        """Go on by a duration, or by parts of one: `move(minutes=5)`."""
        self.now += by if by is not None else timedelta(**parts)


@dataclass(frozen=True, slots=True)
class _Held:
    body: bytes
    etag: str
    metadata: Mapping[str, str]
    last_modified: datetime


class MemoryDocuments:
    """A container in memory. Keeps the promises of `Documents`."""

    def __init__(self, clock: Callable[[], datetime] | None = None, name: str = "memory") -> None:
        self._clock = clock or FakeClock()
        self._name = name
        self._versions = itertools.count(1)
        self._held: dict[str, _Held] = {}
        self._lock = RLock()
        self.changes = 0
        """Counts writes and deletions."""
        self.archived: set[str] = set()
        """Names of documents in the archive tier: they can be listed and deleted, and have an
        ETag, but they can be neither read nor written."""

    def _refuse_archived(self, name: str) -> None:
        if name in self.archived:
            raise DocumentArchived(f"{name} is in the archive tier")

    def get(self, name: str) -> Document | None:
        self._refuse_archived(name)
        held = self._held.get(name)
        return Document(name, held.body, held.etag, held.metadata) if held else None

    def etag(self, name: str) -> str | None:
        held = self._held.get(name)
        return held.etag if held else None

    def create(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        with self._lock:
            self._refuse_archived(name)
            if name in self._held:
                raise RecordConflict(f"{name} is there already")
            return self.put(name, body, metadata=metadata)

    def replace(
        self, name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        with self._lock:
            self._refuse_archived(name)
            held = self._held.get(name)
            if held is None or held.etag != etag:
                raise RecordConflict(f"{name} is another version")
            return self.put(name, body, metadata=metadata)

    def put(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        with self._lock:
            self._refuse_archived(name)
            self.changes += 1
            etag = f"0x{next(self._versions):X}"
            self._held[name] = _Held(body, etag, dict(metadata or {}), self._clock())
            return etag

    def append(self, name: str, body: bytes) -> None:
        with self._lock:
            held = self._held.get(name)
            self.put(name, (held.body if held else b"") + body)

    def delete(self, name: str, *, etag: str | None = None) -> None:
        with self._lock:
            held = self._held.get(name)
            if etag is not None and (held is None or held.etag != etag):
                raise RecordConflict(f"{name} is another version")
            self.changes += self._held.pop(name, None) is not None
            self.archived.discard(name)

    def url(self, name: str) -> str:
        return f"https://state.example/{self._name}/{name}"

    def page(self, *, prefix: str = "", size: int = 100, after: str | None = None) -> Page:
        with self._lock:
            names = sorted(n for n in self._held if n.startswith(prefix) and n > (after or ""))
            items = tuple(self._listed(name) for name in names[:size])
        return Page(items, items[-1].name if len(names) > size else None)

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        yield from self.page(prefix=prefix, size=len(self._held) + 1).items

    def names(self) -> list[str]:
        """All names, for tests."""
        return sorted(self._held)

    def _listed(self, name: str) -> Listed:
        held = self._held[name]
        return Listed(name, held.metadata, held.last_modified, held.etag)


type GemAnswer = Mapping[str, Any] | Exception
"""JSON of a job without its id, or what is raised."""


class FakeGem:
    """Answers each job from its own list; the last answer stands for all questions after it."""

    def __init__(self, **answers: list[GemAnswer]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.before: Callable[[str], object] = lambda _: None
        """Called with the job id while the question is under way."""

    contracts: Sequence[Contract] = (X_VERSION_1,)
    """GEM is asked in one contract; tests of several set more."""

    def get_job(self, job_run_id: str, contract: Contract = X_VERSION_1) -> GemJob:
        if job_run_id == IMPOSSIBLE_JOB and job_run_id not in self.answers:
            raise GemJobNotFound("404")
        self.asked.append(job_run_id)
        self.before(job_run_id)
        answers = self.answers[job_run_id]
        result = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(result, Exception):
            raise result
        named = {} if "job_id" in result else {"jobRunId": job_run_id}
        return known.read({**named, **result}, job_run_id=job_run_id, asked_in=contract)

    listed: Sequence[GemJob] | Exception = ()
    """What GEM's list has."""

    def list_jobs(self, contract: Contract = X_VERSION_1) -> Sequence[GemJob]:
        self.asked.append(f"list in {contract.name}")
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed


class FakeQueue:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.refuses: BaseException | None = None
        """Raised instead of keeping a message."""
        self.loses: Exception | None = None
        """Raised after a message was kept: the answer of the queue is lost."""
        self.on_send: Callable[[], object] = lambda: None
        """Called before anything else."""
        self.on_sent: Callable[[], object] = lambda: None
        """Called when a message was kept."""

    def send(self, body: str) -> None:
        self.on_send()
        if self.refuses:
            raise self.refuses
        self.sent.append(body)
        self.on_sent()
        if self.loses:
            raise self.loses

    def events(self) -> list[dict[str, Any]]:
        """What was sent, decoded."""
        return [json.loads(body) for body in self.sent]


class FakeBatches:
    """The queue of batches: each is taken once, whenever the test likes."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, timedelta, timedelta]] = []
        """Message, how long it is hidden, after how long the queue deletes it."""

    def waiting(self) -> int:
        return len(self.sent)

    def send(self, batch: Batch, *, hidden_for: timedelta, expires_after: timedelta) -> None:
        self.sent.append((batch.to_json(), hidden_for, expires_after))

    def take(self) -> list[str]:
        """All messages, which are then gone."""
        messages = [message for message, _, _ in self.sent]
        self.sent.clear()
        return messages


POISON_LIFE = timedelta(days=7)
"""The default life of a message (Put Message, messagettl)."""


@dataclass
class FakePoison:
    """A poison queue in memory: a taken message is hidden until it is put back or deleted."""

    name: str = "webjobs-blobtrigger-poison"
    held: list[PoisonMessage] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    page: int = 2
    numbers: Iterator[int] = field(default_factory=itertools.count)
    clock: Callable[[], datetime] = lambda: START

    def put(self, text: str) -> None:
        """What the host does with a message that failed too often."""
        number, at = next(self.numbers), self.clock()
        self.held.append(PoisonMessage(f"m{number}", text, at, expires_at=at + POISON_LIFE))

    def _expire(self) -> None:
        now = self.clock()
        self.held = [one for one in self.held if one.expires_at is None or now < one.expires_at]

    def count(self) -> int:
        self._expire()
        return len(self.held)

    def peek(self) -> tuple[PoisonMessage, ...]:
        self._expire()
        return tuple(each for each in self.held if each.id not in self.hidden)[: self.page]

    def take(self) -> tuple[PoisonMessage, ...]:
        taken = self.peek()
        self.hidden |= {each.id for each in taken}
        return taken

    def delete(self, message: PoisonMessage) -> None:
        assert message.id in self.hidden
        self.held.remove(message)

    def put_back(self, message: PoisonMessage) -> None:
        self.hidden.remove(message.id)


@dataclass(slots=True)
class FakeSource:
    """One version of a file in memory."""

    name: str
    etag: str
    body: bytes
    files: "FakeFiles"
    container: str = "default"
    last_modified: datetime | None = START
    version_id: str | None = None
    head: bytes = b""

    @property
    def url(self) -> str:
        return f"https://output.example/{self.container}/{self.name}"

    @property
    def size_bytes(self) -> int:
        return len(self.body)

    def read(self, offset: int, length: int) -> bytes:
        self.files.on_read(self.name)
        if self.files.held.get(self.name) != (self.etag, self.body):
            raise OutputChanged(f"{self.name} was replaced")
        return self.body[offset : offset + length]


LIST = "(the list)"
"""The name under which `FakeFiles.errors` has the error of a listing."""


@dataclass(slots=True)
class FakeFiles:
    """The output storage in memory. `errors` are raised instead of opening a file."""

    held: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    errors: dict[str, OutputError] = field(default_factory=dict)
    opened: list[tuple[str | None, str]] = field(default_factory=list)
    listed: list[tuple[str | None, str]] = field(default_factory=list)
    on_read: Callable[[str], object] = lambda _: None
    head_bytes: int = 0
    """How much of a file comes when it is opened. With none, tests see every read."""
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def write(self, name: str, body: bytes) -> str:
        """Write a file; gives its new ETag."""
        etag = f"E{next(self.versions)}"
        self.held[name] = (etag, body)
        return etag

    def open(self, storage_id: str | None, name: str) -> FakeSource:
        self.opened.append((storage_id, name))
        if name in self.errors:
            raise self.errors[name]
        if name not in self.held:
            raise OutputMissing(f"{name} is not there")
        etag, body = self.held[name]
        return FakeSource(name, etag, body, self, head=body[: self.head_bytes])

    def address(self, storage_id: str | None, name: str) -> str:
        return f"https://output.example/{storage_id}/{name}"

    def names(self, storage_id: str | None, prefix: str) -> list[str]:
        self.listed.append((storage_id, prefix))
        if LIST in self.errors:
            raise self.errors[LIST]
        return sorted(name for name in self.held if name.startswith(prefix))


class Killed(BaseException):
    """The process ends here: no handler of the code under test may catch it."""


class Trap:
    """Watches every call of the edges it wraps, and kills at one of them.

    Args:
        at: number of the call, from 0; None only counts.
        after: whether the call takes effect before the kill.
        check: called after each call that took effect.

    """

    def __init__(
        self,
        at: int | None = None,
        *,
        after: bool = False,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self._at = at
        self._after = after
        self.check = check
        self.calls: list[str] = []

    def around[T](self, edge: T, name: str) -> T:
        """The edge, with every call of its methods watched."""
        return cast("T", _Watched(edge, name, self))

    def call(self, name: str, do: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the edge gives
        is_end = len(self.calls) == self._at
        self.calls.append(name)
        if is_end and not self._after:
            raise Killed(f"before {name}")
        try:
            result = do()
        except Exception as error:
            if is_end:
                raise Killed(f"after {name}") from error
            raise
        self.check()
        if is_end:
            raise Killed(f"after {name}")
        return result


class _Watched:
    def __init__(self, edge: object, name: str, trap: Trap) -> None:
        self._edge = edge
        self._name = name
        self._trap = trap

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - whatever the edge has
        value = getattr(self._edge, method)
        if not callable(value):
            return value
        name = f"{self._name}.{method}"

        def watched(*args: object, **options: object) -> Any:  # noqa: ANN401 - as above
            def do() -> Any:  # noqa: ANN401 - as above
                result = value(*args, **options)
                return tuple(result) if isinstance(result, Iterator) else result

            result = self._trap.call(name, do)
            if isinstance(result, FakeSource):
                return _Watched(result, f"{self._name}.source", self._trap)
            return iter(result) if method == "every" else result

        return watched


def refuse(error: GemError) -> list[GemAnswer]:
    """The answers of a job about which every question fails."""
    return [error]


_: type[Documents] = MemoryDocuments
__: type[Poison] = FakePoison
