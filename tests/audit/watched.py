"""Audits in a child while both processes are watched. Imports no pyarrow: this is the parent."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from gem_core.audit.child.engine import Engine
from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.child.usage import usage
from gem_core.audit.options import AuditOptions
from gem_core.audit.reading.source import open_file
from gem_core.errors import AuditError, OutputError
from gem_core.gem.contracts import known

_LOOK_SECONDS = 0.01
JOB = known.read({"jobRunId": "j", "status": "finished"}, job_run_id="j")
_PAGE = PageOptions(datetime(2026, 1, 20, tzinfo=UTC), with_map=True)


@dataclass(frozen=True, slots=True)
class Case:
    """Two files."""

    name: str
    output: Path
    input: Path
    with_values: bool = False


@dataclass(slots=True)
class Peak:
    """The most that was seen of one process, in bytes."""

    resident: int = 0
    data: int = 0

    def look(self, pid: int) -> None:
        """Look at it now."""
        if used := usage(pid):
            self.add(Peak(used.resident_bytes, used.data_bytes))

    def add(self, other: "Peak") -> None:
        """Keep the larger of each."""
        self.resident = max(self.resident, other.resident)
        self.data = max(self.data, other.data)

    def __str__(self) -> str:
        """In MiB."""
        return f"{self.resident >> 20} / {self.data >> 20}"


@dataclass(slots=True)
class Watched:
    """What came of one audit."""

    outcome: str = "postponed"
    reason: str = ""
    """The checks that failed, why the input was left out, and why there is no page."""
    first_failed: str = "none"
    """The first check that failed."""
    seconds: float = 0.0
    parent: Peak = field(default_factory=Peak)
    child: Peak = field(default_factory=Peak)


def watched(engine: Engine, case: Case) -> Watched:
    """Audit, draw the page, and watch. What postpones a delivery is a result too."""
    found = Watched()
    began = time.monotonic()
    try:
        with _looking(engine, found):
            result = engine.audit(
                open_file(case.output),
                JOB,
                input_source=open_file(case.input),
                options=AuditOptions(with_values=case.with_values),
                page=_PAGE,
            )
    except (AuditError, OutputError) as error:
        found.reason = f"{type(error).__name__}: {error}"
    else:
        _describe(found, result)
    found.seconds = time.monotonic() - began
    return found


def _describe(found: Watched, result: AuditResult) -> None:
    failed = [
        (line["name"], line.get("detail", ""))
        for line in result.report["checks"]["all"]
        if line["verdict"] == "failed" and line["severity"] == "error"
    ]
    said = [f"{name}: {detail}" for name, detail in failed]
    if result.input_left_out:
        said.append(f"without the input: {result.input_left_out}")
    if result.page is None:
        said.append(f"without a page: {result.page_problem}")
    found.outcome, found.reason = result.outcome, "; ".join(said)
    found.first_failed = failed[0][0] if failed else "none"


@contextmanager
def _looking(engine: Engine, found: Watched) -> Iterator[None]:
    """Look a hundred times a second."""
    ended = Event()

    def look() -> None:
        has_ended = False
        while not has_ended:
            has_ended = ended.wait(_LOOK_SECONDS)
            found.parent.look(os.getpid())
            if child := engine._child:
                found.child.look(child.pid)

    thread = Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
