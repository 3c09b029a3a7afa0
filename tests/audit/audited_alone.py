"""Audits in a process that may die of it: a path a line in, a report a line out, as JSON.

`python -m tests.audit.audited_alone`; `Alone` starts it, and knows when it has died.
"""

import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gem_core.audit.audit import audit
from gem_core.audit.source import open_file
from tests.audit.build import input_table, job, matched_table, write

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Told:
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
        if self._process:
            self._process.kill()
            self._process.communicate()

    def audit(self, path: Path) -> Told:
        """Audit a file.

        Raises:
            Died: the process did not survive it, or the audit raised; the message says which.

        """
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            self._process = None
            _, text = process.communicate()
            raise Died(f"{path}: exit code {process.returncode}\n{text[-2000:]}")
        return Told(**json.loads(line))

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


def _audited(output: Path, given: Path) -> dict[str, Any]:
    of = job(outputFileName=output.name)
    report = audit(open_file(output), of, input_source=open_file(given))
    checks = report.to_json()["checks"]
    failed = {one["name"]: one["detail"] for one in checks if one["verdict"] == "failed"}
    return {"outcome": report.outcome, "failed": failed}


def main() -> None:
    """Serve until the input ends."""
    with tempfile.TemporaryDirectory() as folder:
        given = write(Path(folder), input_table(), "roads.parquet").path
        _audited(write(Path(folder), matched_table()).path, given)
        before = _peak_bytes()
        for line in sys.stdin:
            told = _audited(Path(line.rstrip("\n")), given)
            print(json.dumps(told | {"peak_bytes": _peak_bytes() - before}), flush=True)  # noqa: T201 - its way to tell


if __name__ == "__main__":
    main()
