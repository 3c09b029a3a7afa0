"""Real outputs with checksums, spoilt at random: one that stays valid holds what the original held.

`python -m tests.audit.mutants --files 2000 --seed 1`; a mutant whose audit gives no result, or that
is valid and holds something else, is kept. Without checksums a flipped digit of a GERS id is
another GERS id, and nobody can tell.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from devkit.stage import ROOT
from gem_core.audit.child.engine import Engine
from gem_core.audit.options import AuditOptions
from gem_core.audit.parquet.opened_file import OpenedFile, open_parquet
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import open_file
from gem_core.errors import AuditError, OutputError
from tests.audit.build import input_table, matched_table
from tests.audit.child.children import LIMITS
from tests.audit.fuzz import WAYS, flip_bits
from tests.audit.watched import JOB
from tests.parquet_files import parquet_bytes

ROWS = 300
TABLE = matched_table(ROWS)
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"compression": "none", "use_dictionary": False},
    {"compression": "zstd", "data_page_version": "2.0", "row_group_size": 70},
    {"compression": "gzip", "data_page_size": 200},
    {"compression": "none", "store_schema": False, "write_statistics": False},
    {
        "use_dictionary": False,
        "column_encoding": {"gers_id": "DELTA_BYTE_ARRAY", "id": "DELTA_BINARY_PACKED"},
    },
)


@cache
def originals() -> tuple[bytes, ...]:
    """The same table, written in several ways, each page with a checksum."""
    return tuple(parquet_bytes(TABLE, write_page_checksum=True, **options) for options in OPTIONS)


def mutant(dice: Random) -> bytes:
    """One of them, spoilt."""
    data = dice.choice(originals())
    try:
        return dice.choice(WAYS)(data, dice)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return flip_bits(data, dice)


class OtherReaders:
    """Read files in a process of its own, and in a new one after a file that they cannot read.

    Such a file may end its reader, or spoil its memory.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            with self._process as process:
                process.kill()
            self._process = None

    def same_content(self, path: Path) -> str:
        """Whether one finds the original's table in the file: empty, or what they find."""
        said = []
        for name in READERS:
            found = self._ask(name, path)
            if found:
                self.__exit__()
            if found in {"", ANOTHER}:
                return found and f"{name}: {found}"
            said.append(f"{name}: {found}")
        return "; ".join(said)

    def _ask(self, name: str, path: Path) -> str:
        if not self._process:
            command = [sys.executable, "-c", "from tests.audit.mutants import serve; serve()"]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
            )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([name, str(path)]) + "\n")
        self._process.stdin.flush()
        if answer := self._process.stdout.readline():
            found: str = json.loads(answer)
            return found
        return f"ended with {self._process.wait()}"


def serve() -> None:
    """Answer the questions of `OtherReaders`."""
    for line in sys.stdin:
        name, path = json.loads(line)
        print(json.dumps(difference(name, Path(path))), flush=True)  # noqa: T201 - the answer


def difference(reader: str, path: Path) -> str:
    """What a reader finds: empty for the original's table, `ANOTHER`, or why it cannot read."""
    try:
        found = READERS[reader](path).select(TABLE.schema.names)
    except (pa.ArrowException, OSError, ValueError, KeyError, duckdb.Error) as error:
        return str(error)
    return "" if found.cast(TABLE.schema).equals(TABLE) else ANOTHER


def _by_pyarrow(path: Path) -> pa.Table:
    return pq.read_table(path)


def _by_duckdb(path: Path) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.read_parquet(str(path)).to_arrow_table()


def _by_the_audit(path: Path) -> pa.Table:
    """Last: the others refuse statistics and the like, which the audit does not read."""
    opened = open_parquet(RangeFile(open_file(path)))
    assert isinstance(opened, OpenedFile)
    return pa.Table.from_batches(opened.batches(TABLE.schema.names))


ANOTHER = "another table"
READERS = {"pyarrow": _by_pyarrow, "duckdb": _by_duckdb, "audit": _by_the_audit}


@dataclass
class Found:
    """What came of a run."""

    outcomes: Counter[str] = field(default_factory=Counter)
    not_compared: int = 0
    """Valid ones whose report says that not all values were compared, and why."""
    unchanged: int = 0
    """Mutants of the very bytes of an original."""
    trouble: list[str] = field(default_factory=list)


def run(seed: int, files: int, keep: Path) -> Found:
    """Audit so many mutants, every column compared with the input."""
    dice, found = Random(seed), Found()
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as name,
        Engine(LIMITS, os.environ) as engine,
        OtherReaders() as others,
    ):
        path, given = Path(name, "roads_matched.parquet"), Path(name, "roads.parquet")
        given.write_bytes(parquet_bytes(input_table(ROWS)))
        for number in range(files):
            data = mutant(dice)
            found.unchanged += data in originals()
            path.write_bytes(data)
            outcome, said = "postponed", ""
            try:
                result = engine.audit(
                    open_file(path),
                    JOB,
                    input_source=open_file(given),
                    options=AuditOptions(with_values=True),
                )
            except (AuditError, OutputError) as error:
                said = str(error)
            else:
                outcome = result.outcome
                is_valid = outcome.startswith("valid")
                found.not_compared += bool(is_valid and result.not_compared)
                if is_valid and not result.not_compared:
                    said = others.same_content(path)
            found.outcomes[outcome] += 1
            if said:
                found.trouble.append(f"mutant {number} of seed {seed}, {outcome}: {said}")
                (keep / f"mutant-{seed}-{number}.parquet").write_bytes(data)
    return found


def main() -> int:
    """Exit code 0 when no mutant made trouble."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit.mutants")
    parser.add_argument("--files", type=int, default=2_000, help="how many (2000)")
    parser.add_argument("--seed", type=int, default=1, help="decides all of them (1)")
    parser.add_argument("--keep", type=Path, default=Path(), help="folder for those with trouble")
    arguments = parser.parse_args()
    began = time.monotonic()
    found = run(arguments.seed, arguments.files, arguments.keep)
    apart = f"{found.not_compared} of the valid ones were not compared"
    total = f"{found.outcomes.total()} mutants in {time.monotonic() - began:.0f} s"
    lines = [
        f"{total}, seed {arguments.seed}: {dict(found.outcomes)}",
        f"{apart}, {found.unchanged} are the original; trouble {len(found.trouble)}",
        *found.trouble,
    ]
    print("\n".join(lines))  # noqa: T201 - a command
    return 1 if found.trouble else 0


if __name__ == "__main__":
    sys.exit(main())
