"""`python -m bench.preflight`: a preflight of many roads, beside a plain decode of its columns.

The ids are out of order and far apart, and every geometry differs.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.__main__ import FILES
from bench.deployed import AS_DEPLOYED
from bench.launch import measure

_BLOCK = 1 << 18
_POINTS = 4

DECODE = """
import sys, pyarrow as pa, pyarrow.parquet as pq
file = pq.ParquetFile(sys.argv[1], pre_buffer=False)
columns = ["id", "is_navigable", "geometry"]
for _ in file.iter_batches(32768, columns=columns, use_threads=False):
    pass
"""


def write_roads(path: Path, rows: int) -> None:
    """Write an input with lines of four points somewhere between 4 and 8 degrees east."""
    rng = np.random.default_rng(3)
    ids = rng.permutation(rows) * 37 + 11
    writer = None
    for start in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - start)
        x, y = rng.uniform(4, 8, count), rng.uniform(48, 52, count)
        points = [
            pc.binary_join_element_wise(_text(x + n * 1e-4), _text(y + n * 2e-4), " ")
            for n in range(_POINTS)
        ]
        line = pc.binary_join_element_wise(*points, ", ")
        table = pa.table(
            {
                "id": ids[start : start + count],
                "is_navigable": rng.random(count) < 0.9,  # noqa: PLR2004 - most are
                "geometry": pc.binary_join_element_wise("LINESTRING (", line, ")", ""),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def _text(numbers: np.ndarray) -> pa.StringArray:
    return pa.array(np.round(numbers, 7)).cast(pa.string())


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.preflight",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="roads (%(default)s)")
    rows = parser.parse_args().rows
    FILES.mkdir(parents=True, exist_ok=True)
    path = FILES / f"preflight-{rows}.parquet"
    if not path.exists():
        write_roads(path, rows)
    for _ in range(2):
        measure("plain decode", ["-c", DECODE, str(path)], AS_DEPLOYED)
        measure("preflight", ["-m", "gem_core", "preflight", str(path), "--json"], AS_DEPLOYED)
    page = FILES / "preflight.html"
    words = ["-m", "gem_core", "preflight", str(path), "--json", "--html", str(page)]
    measure("preflight --html", words, AS_DEPLOYED)
    measure("without variables", words, {})
    return 0


if __name__ == "__main__":
    sys.exit(main())
