"""`python -m bench.ids`: compares unordered ids with an input, with known differences.

Both files are shuffled differently. The output has some duplicate ids, lacks some ids of the input,
and has some ids that the input does not have. The audit must find the exact counts within the
memory limit for ids.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.__main__ import FILES
from bench.deployed import AS_DEPLOYED
from bench.measure import peak_mib
from bench.networks import BIG_GROUPS, Order, ids_of, matched_rows
from gem_core.audit.audit import audit
from gem_core.audit.judging.facts import Facts
from gem_core.audit.options import AuditOptions, IdLimits
from gem_core.audit.reading.source import open_file
from gem_core.gem.contracts import known

REPEATED, MISSING, EXTRA = 5, 7, 2
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Pair:
    """An output and its input."""

    input: Path
    output: Path


def write_pair(folder: Path, rows: int, order: Order) -> Pair:
    """Write an input with this number of rows and its output, unless they exist."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = Pair(folder / f"{rows}-{order}.parquet", folder / f"{rows}-{order}_matched.parquet")
    if pair.input.exists() and pair.output.exists():
        return pair
    rng = np.random.default_rng(2)
    ids = ids_of(rng, rows + EXTRA, order)
    input_ids = np.arange(EXTRA, rows + EXTRA)
    kept = np.concatenate([np.arange(rows + EXTRA - MISSING), np.arange(REPEATED) + EXTRA])
    for path, places in ((pair.input, input_ids), (pair.output, kept)):
        rng.shuffle(places)
        blocks = (
            ids.take(pa.array(places[at : at + _BLOCK])) for at in range(0, len(places), _BLOCK)
        )
        if path == pair.input:
            _write(path, (pa.table({"id": block}) for block in blocks))
        else:
            _write(path, (matched_rows(rng, block) for block in blocks))
    return pair


def _write(path: Path, tables: Iterable[pa.Table]) -> None:
    unfinished = path.with_suffix(".unfinished")
    writer = None
    for table in tables:
        writer = writer or pq.ParquetWriter(unfinished, table.schema, compression="snappy")
        writer.write_table(table, row_group_size=BIG_GROUPS.group_rows)
    if writer:
        writer.close()
    unfinished.rename(path)


def counts(facts: Facts) -> dict[str, int | None]:
    """The counts by name."""
    ids = facts.ids
    if ids is None or ids.distinct is None:
        return {"repeated": None, "missing": None, "extra": None}
    return {
        "repeated": ids.rows - ids.distinct,
        "missing": ids.missing,
        "extra": ids.extra,
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """The counts of an audit, with its time and memory."""

    counts: dict[str, int | None]
    cpu: float
    wall: float
    peak_mib: float


def measure(pair: Pair, id_bytes: int) -> Measured:
    """Audit in this process."""
    answer = {"jobRunId": "bench", "status": "finished", "inputFileName": pair.input.name}
    pa.array(np.zeros(1))  # the first one imports what it needs
    before, cpu, wall = peak_mib(), time.process_time(), time.perf_counter()
    report = audit(
        open_file(pair.output),
        known.read(answer, job_run_id="bench"),
        input_source=open_file(pair.input),
        options=AuditOptions(IdLimits(id_bytes)),
    )
    return Measured(
        counts(report.facts),
        time.process_time() - cpu,
        time.perf_counter() - wall,
        peak_mib() - before,
    )


def main() -> int:
    """Audit and print. Fails if the counts are not the known ones."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.ids",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ids", choices=[Order.DENSE, Order.SPARSE, Order.TEXT])
    parser.add_argument("--rows", type=int, default=10_000_000, help="number of rows (%(default)s)")
    parser.add_argument("--mib", type=int, default=256, help="memory for ids in MiB (%(default)s)")
    asked = parser.parse_args()
    pair = _apart(write_pair, FILES, asked.rows, Order(asked.ids))
    found = _apart(measure, pair, asked.mib << 20)
    print(
        f"{asked.rows:,} {asked.ids} ids, {asked.mib} MiB for ids: {found.counts}; "
        f"CPU {found.cpu:.1f} s, wall {found.wall:.1f} s, "
        f"peak {found.peak_mib:.0f} MiB over imports"
    )
    return found.counts != {"repeated": REPEATED, "missing": MISSING, "extra": EXTRA}


def _apart[**P, R](work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run the function in a separate process with the environment of the deployed app."""
    os.environ.update(AS_DEPLOYED)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()


if __name__ == "__main__":
    sys.exit(main())
