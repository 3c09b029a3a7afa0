"""What every bomb does to parent and child, and spoilt files in sum, as a table.

`python -m tests.audit.bomb_table`. Another process makes the files.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from gem_core.audit.child.engine import Engine
from gem_core.audit.child.limits import Limits
from gem_core.audit.child.machine import audit_bytes
from tests.audit.watched import Case, Peak, Watched, watched

ROOT = Path(__file__).resolve().parent.parent.parent
_HEADINGS = ("file", "bytes", "outcome", "s", "parent", "child", "reason")
_REASON_CHARACTERS = 110


def main() -> int:
    """Print the table, in MiB (resident / VmData).

    The exit code is 1 when a good file was not valid after a bad one.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.audit.bomb_table")
    parser.add_argument("--mib", type=int, default=audit_bytes() >> 20, help="memory of an audit")
    parser.add_argument(
        "--cpu", type=int, default=Limits(0).cpu_seconds, help="seconds of an audit"
    )
    parser.add_argument("--spoilt", type=int, default=200, help="number of spoilt files (200)")
    parser.add_argument("--only", default="", help="only the files with this in their name")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bombs-") as folder,
        Engine(Limits(asked.mib << 20, cpu_seconds=asked.cpu), os.environ) as engine,
    ):
        cases = _cases(Path(folder), asked.spoilt, asked.only)
        good = Case("good", Path(folder) / "good_matched.parquet", Path(folder) / "good.parquet")
        return 1 if _print(engine, cases, good) else 0


def _cases(folder: Path, spoilt: int, only: str) -> list[Case]:
    words = [sys.executable, "-m", "tests.audit.bomb_list", str(folder), str(spoilt)]
    subprocess.run(words, check=True, cwd=ROOT)
    listed = json.loads((folder / "bombs.json").read_text())
    found = (Case(name, Path(one), Path(two), values) for name, one, two, values in listed)
    return [case for case in found if only in case.name]


def _print(engine: Engine, cases: Sequence[Case], good: Case) -> int:
    """Print a line for each; gives how many good files were not valid."""
    _line(_HEADINGS)
    _line(["---"] * len(_HEADINGS))
    spoilt: list[Watched] = []
    everything, harmed = Watched(), 0
    for case in cases:
        found = watched(engine, case)
        everything.parent.add(found.parent)
        everything.child.add(found.child)
        harmed += watched(engine, good).outcome != "valid"
        if case.name == "spoilt":
            spoilt.append(found)
        else:
            _line(_cells(case, found))
    if spoilt:
        _line(_sum(spoilt))
    print(f"\nall: parent {everything.parent}, child {everything.child} MiB; ", end="")
    print(f"{harmed} of {len(cases)} good files harmed")
    return harmed


def _cells(case: Case, found: Watched) -> Iterator[str]:
    size = (
        (case.input if case.output.name == "good_matched.parquet" else case.output).stat().st_size
    )
    yield from (case.name, f"{size:,}", found.outcome, f"{found.seconds:.1f}")
    yield from (str(found.parent), str(found.child), found.reason[:_REASON_CHARACTERS])


def _sum(spoilt: Sequence[Watched]) -> Iterator[str]:
    parent, child = Peak(), Peak()
    for one in spoilt:
        parent.add(one.parent)
        child.add(one.child)
    outcomes = Counter(str(one.outcome) for one in spoilt)
    slowest = max(one.seconds for one in spoilt)
    yield from (f"{len(spoilt)} spoilt files", "", "")
    yield from (f"at most {slowest:.1f}", str(parent), str(child))
    yield ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())


def _line(cells: Sequence[str] | Iterator[str]) -> None:
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    sys.exit(main())
