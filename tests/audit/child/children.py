"""What the tests of the child share: files in memory, hostile children, one attempt."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from threading import Event
from typing import override

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.child import environment
from gem_core.audit.child.attempt import Attempt, Judged, wait_until_ready
from gem_core.audit.child.conclusions import Seen
from gem_core.audit.child.engine import Engine
from gem_core.audit.child.limits import Limits
from gem_core.audit.child.process import ChildProcess
from gem_core.audit.child.request import Request
from gem_core.audit.child.result import AuditResult
from gem_core.audit.child.self_test import BuiltInFile
from gem_core.audit.child.serving import RangeServer
from gem_core.audit.reading.source import Source
from gem_core.outcome import Outcome
from tests.audit.build import input_table, job, matched_table

LONG = 600
LIMITS = Limits(
    400 << 20,
    cpu_seconds=60,
    wall_seconds=LONG,
    page_wall_seconds=LONG,
    look_up_wall_seconds=LONG,
    start_seconds=LONG,
)
"""What an audit may do. A test that needs less time says so: a busy machine is no reason."""


def in_memory(table: pa.Table, name: str = "roads_matched.parquet") -> BuiltInFile:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return BuiltInFile(sink.getvalue().to_pybytes(), f"https://a/c/{name}", "c", name)


GOOD = in_memory(matched_table())
INPUT = in_memory(input_table(), "roads.parquet")


def pid(engine: Engine) -> int:
    assert engine._child
    return engine._child.pid


def audited(engine: Engine, output: Source, given: Source | None = None) -> AuditResult:
    return engine.audit(output, job(), input_source=given)


def failed(result: AuditResult) -> dict[str, str]:
    lines = result.report["checks"]["all"]
    return {line["name"]: line.get("detail", "") for line in lines if line["verdict"] == "failed"}


def not_audited(result: AuditResult) -> str:
    """Why it was not."""
    assert result.outcome is Outcome.NOT_AUDITED
    (reason,) = failed(result).values()
    return reason


@dataclass(frozen=True, slots=True)
class Killing(BuiltInFile):
    """Sends a signal to the child at each read."""

    pid: Callable[[], int] = os.getpid
    number: int = signal.SIGKILL

    @override
    def read(self, offset: int, length: int) -> bytes:
        os.kill(self.pid(), self.number)
        return BuiltInFile.read(self, offset, length)


@dataclass(frozen=True, slots=True)
class Dripping(BuiltInFile):
    """Lets every read wait until the test ends."""

    began: Event = field(default_factory=Event)
    ends: Event = field(default_factory=Event)

    @override
    def read(self, offset: int, length: int) -> bytes:
        self.began.set()
        self.ends.wait()
        return BuiltInFile.read(self, offset, length)


def as_kind[T: BuiltInFile](kind: type[T], file: BuiltInFile, **more: object) -> T:
    """The same file as another kind of source."""
    known = {field.name: getattr(file, field.name) for field in fields(BuiltInFile)}
    return kind(**known | more)


def be_hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the hostile child from now on."""
    monkeypatch.setattr(environment, "MODULE", "tests.audit.child.hostile")


@contextmanager
def ready_child(limits: Limits = LIMITS) -> Iterator[ChildProcess]:
    child = ChildProcess(os.environ, limits.data_bytes)
    try:
        assert wait_until_ready(child, 60) is None
        yield child
    finally:
        child.end()


def attempt(
    act: str, limits: Limits = LIMITS, sources: Sequence[Source] = (BuiltInFile(bytes(1000)),)
) -> tuple[Judged | Seen, ChildProcess]:
    """Ask a hostile child to act; what came of it, and the child, which has ended."""
    with ready_child(limits) as child:
        return attempt_in(child, act, limits, sources), child


def attempt_in(
    child: ChildProcess, act: str, limits: Limits, sources: Sequence[Source]
) -> Judged | Seen:
    request = Request(sources[0], replace(job(), job_run_id=act))
    server = RangeServer(child.channel, sources, limits)
    try:
        asked = Attempt(child, server, limits, is_fresh=True, on_rows=None)
        return asked.run(*request.question(limits, "token"))
    finally:
        server.close()
