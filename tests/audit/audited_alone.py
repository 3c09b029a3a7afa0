"""Audits in a process that may die of it: a path a line in, a report a line out, as JSON.

`python -m tests.audit.audited_alone`; `Alone` starts it, and knows when it has died.
"""

import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gem_core.audit.audit import audit
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.options import AuditOptions
from gem_core.audit.reading.source import open_file
from gem_core.page.make import make_page
from tests.audit.build import input_table, job, matched_table, write

BOUND_BYTES = 1 << 30
"""What an audit may take beside the process itself, whatever the file. An instance has 2 GiB."""

_PAGES = 5
"""One page in so many audits."""
NOW = datetime(2026, 1, 20, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one audit."""

    outcome: str
    failed: dict[str, str]
    """The checks that failed, each with its detail."""
    peak_bytes: int
    """Of the process since an honest file was audited, which all before it share."""


class Died(Exception):
    """The process ended while it audited a file."""


class Alone:
    """A context manager around the process; it is started anew after it has died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next audit starts another one."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def audit(self, path: Path, input_: Path | None = None, *, as_input: bool = False) -> Result:
        """Audit a file, or an honest output beside the file as its input; then draw its page.

        The input is a small honest one unless it is given.

        Raises:
            Died: the process did not survive it, or the audit raised; the message says which.

        """
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps([str(path), str(input_ or ""), as_input]) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            self._process = None
            _, text = process.communicate()
            raise Died(f"{path}: exit code {process.returncode}\n{text[-2000:]}")
        return Result(**json.loads(line))

    def _start(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.audited_alone"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        return self._process


def _peak_bytes() -> int:
    """Of this process so far; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _audited(output: Path, input_: Path, number: int) -> dict[str, Any]:
    """Every other time in two threads, or with all values compared."""
    of = job(outputFileName=output.name)
    report = audit(
        source := open_file(output),
        of,
        input_source=open_file(input_),
        options=AuditOptions(two_threads=number % 2 == 0, with_values=number % 3 == 0),
    )
    if number % _PAGES == 0:
        make_page(report, source, NOW, with_map=True)
    checks = report_to_json(report)["checks"]["all"]
    failed = {one["name"]: one.get("detail", "") for one in checks if one["verdict"] == "failed"}
    return {"outcome": report.outcome, "failed": failed}


def main() -> None:
    """Serve until the input ends."""
    with tempfile.TemporaryDirectory() as folder:
        small = write(Path(folder), input_table(), "roads.parquet").path
        honest = write(Path(folder), matched_table(), "honest_matched.parquet").path
        _audited(honest, small, 0)
        before = _peak_bytes()
        for number, line in enumerate(sys.stdin):
            path, input_, as_input = json.loads(line)
            pair = (honest, Path(path)) if as_input else (Path(path), Path(input_ or small))
            result = _audited(*pair, number)
            print(json.dumps(result | {"peak_bytes": _peak_bytes() - before}), flush=True)  # noqa: T201 - its way to tell


if __name__ == "__main__":
    main()
