"""`python -m bench.remote`: compares an audit over a network with its lower bounds.

A process on this machine serves the file with 20 ms per request and 60 MB/s per connection. The
audit takes turns with a pure transfer and with the audit of the local file, so that other load on
the machine affects all of them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from bench.contestants import COLUMNS
from bench.deployed import AS_DEPLOYED
from bench.networks import Layout, Order, write_network
from bench.remote_once import WAYS
from gem_core.audit.parquet.column_chunks import chunks
from gem_core.audit.reading.pieces import PIECE_BYTES

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "artifacts" / "bench"
LAYOUTS = (
    Layout("zstd", 1 << 17, heavy_geometry=True),
    Layout("snappy", 1 << 20, heavy_geometry=True),
)


@dataclass(frozen=True, slots=True)
class Needs:
    """The bytes and requests that every audit needs, computed from the footer."""

    bytes: int
    row_groups: int

    @classmethod
    def of(cls, path: Path) -> "Needs":
        """Bytes of the footer and of the needed column chunks."""
        found = pq.read_metadata(path)
        groups = list(chunks(found, set(COLUMNS)))
        needed = sum(chunk.length for group in groups for chunk in group)
        return cls(found.serialized_size + needed, len(groups))

    @property
    def requests(self) -> float:
        """One request for each 8 MiB and for each row group, plus two."""
        return self.bytes / PIECE_BYTES + self.row_groups + 2


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-remote", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="number of rows (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (%(default)s)")
    chosen = parser.parse_args()
    table = Table(
        title=f"{chosen.rows:,} rows at 20 ms and 60 MB/s a connection, medians of {chosen.rounds}"
    )
    headings = ("layout", "bytes to needed", "requests", "of at most", "local s", "bare s")
    for heading in (*headings, "remote s", "to the longer", "peak MiB"):
        table.add_column(heading, justify="left" if heading == "layout" else "right")
    FILES.mkdir(parents=True, exist_ok=True)
    for layout in LAYOUTS:
        name = f"{chosen.rows}-heavy-{layout.compression}-{layout.group_rows}.parquet"
        path = write_network(FILES / name, chosen.rows, Order.SORTED, layout)
        rounds = [{way: _measure(way, path) for way in WAYS} for _ in range(chosen.rounds)]
        table.add_row(str(layout), *_row(path, rounds))
    Console(width=110).print(table)
    return 0


def _row(path: Path, rounds: list[dict[str, dict[str, object]]]) -> list[str]:
    needs = Needs.of(path)
    asked = rounds[-1]["remote"]["asked"]
    wall = {
        way: statistics.median(float(str(each[way]["wall"])) for each in rounds) for way in WAYS
    }
    peak = statistics.median(float(str(each["remote"]["peak"])) for each in rounds)
    ranges = [str(each) for each in asked] if isinstance(asked, list) else []
    return [
        f"{sum(map(_length, ranges)) / needs.bytes:.4f}",
        str(len(ranges)),
        f"{needs.requests:.1f}",
        *(f"{wall[way]:.2f}" for way in ("local", "bare", "remote")),
        f"{wall['remote'] / max(wall['local'], wall['bare']):.2f}",
        f"{peak:.0f}",
    ]


def _length(asked: str) -> int:
    first, last = asked.removeprefix("bytes=").split("-")
    return int(last) + 1 - int(first)


def _measure(way: str, path: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.remote_once", way, str(path)],
        cwd=ROOT,
        env=os.environ | AS_DEPLOYED,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{way} failed on {path.name}:\n{done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
