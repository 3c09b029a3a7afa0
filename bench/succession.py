"""`python -m bench.succession`: compares two runs with planted changes, as DuckDB does.

Both files are shuffled. What the command finds is held against what was planted: every pair of ids
with its kind. DuckDB makes the same join of the roads, and counts the roads of each pair.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.__main__ import FILES
from bench.deployed import AS_DEPLOYED
from bench.launch import measure
from gem_core.succession.gers_bytes import PACKED, unpack
from gem_core.succession.kind import Kind

NONE = -1
"""The number of no id."""
_CHAIN = 1000
"""Edges of one long group."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Planted:
    """Roads by their ids in both runs, as numbers; and the kind of each pair."""

    old: np.ndarray
    new: np.ndarray
    kinds: np.ndarray


class _Plan:
    """Collects groups of ids, each road with one id or none in each run."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._next = 0
        self._edges: list[tuple[np.ndarray, np.ndarray, Kind]] = []

    def ids(self, count: int) -> np.ndarray:
        """New numbers of ids."""
        self._next += count
        return np.arange(self._next - count, self._next)

    def add(self, kind: Kind, old: np.ndarray, new: np.ndarray) -> None:
        """Give each pair one or two roads."""
        times = self._rng.integers(1, 3, len(old))
        self._edges.append((np.repeat(old, times), np.repeat(new, times), kind))

    def planted(self) -> Planted:
        """All roads."""
        return Planted(
            np.concatenate([old for old, _, _ in self._edges]),
            np.concatenate([new for _, new, _ in self._edges]),
            np.concatenate([np.full(len(old), kind.value) for old, _, kind in self._edges]),
        )


def plant(roads: int, *, seed: int = 1) -> Planted:
    """About this many roads: most ids are the same, some of each kind are not."""
    rng = np.random.default_rng(seed)
    plan = _Plan(rng)

    def groups(share: float) -> int:
        return max(int(roads * share / 1.5), 2)

    same = plan.ids(groups(0.74))
    plan.add(Kind.SAME, same, same)
    # One road of an id that has others is no longer matched, or is now: the id stays the same.
    wavers = same[: groups(0.01)]
    plan.add(Kind.SAME, wavers, np.full(len(wavers), NONE))
    plan.add(Kind.SAME, np.full(len(wavers), NONE), wavers)
    count = groups(0.05)
    plan.add(Kind.REPLACED, plan.ids(count), plan.ids(count))
    for kind in (Kind.SPLIT, Kind.MERGED):
        for size in (2, 3, 4):
            one, several = plan.ids(groups(0.01)), plan.ids(groups(0.01) * size)
            one = np.repeat(one, size)
            several[: len(several) // 2 : size] = one[: len(several) // 2 : size]  # it lives on
            pair = (one, several) if kind is Kind.SPLIT else (several, one)
            plan.add(kind, *pair)
    _regroup(plan, groups(0.01))
    lost = plan.ids(groups(0.02))
    plan.add(Kind.DROPPED, lost, np.full(len(lost), NONE))
    won = plan.ids(groups(0.02))
    plan.add(Kind.GAINED, np.full(len(won), NONE), won)
    nothing = np.full(groups(0.03), NONE)
    plan.add(Kind.SAME, nothing, nothing)
    return plan.planted()


def _regroup(plan: _Plan, count: int) -> None:
    one, two = plan.ids(count), plan.ids(count)
    first, second = plan.ids(count), plan.ids(count)
    plan.add(
        Kind.REGROUPED,
        np.concatenate([one, one, two]),
        np.concatenate([first, second, second]),
    )
    old, new = plan.ids(_CHAIN // 2), plan.ids(_CHAIN // 2 + 1)
    plan.add(Kind.REGROUPED, np.repeat(old, 2), np.repeat(new, 2)[1:-1])


def gers_texts(numbers: np.ndarray) -> pa.StringArray:
    """A GERS id for each number; null for `NONE`."""
    data = np.zeros((len(numbers), 17), np.uint8)
    keys = numbers.astype(np.uint64)
    mixed = np.stack(
        [
            (keys + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15),
            keys * np.uint64(0xC2B2AE3D27D4EB4F),
        ]
    )
    mixed ^= mixed >> np.uint64(31)
    data[:, :16] = np.ascontiguousarray(mixed.T).view(np.uint8)
    validity = pa.py_buffer(np.packbits(numbers != NONE, bitorder="little"))
    packed = pa.FixedSizeBinaryArray.from_buffers(
        PACKED, len(numbers), [validity, pa.py_buffer(data)]
    )
    return unpack(packed)


def write_runs(
    folder: Path, planted: Planted, *, seed: int = 2, rows_to_a_group: int = _BLOCK
) -> tuple[Path, Path]:
    """Write the outputs of both runs, each in an order of its own."""
    rng = np.random.default_rng(seed)
    roads = rng.permutation(len(planted.old)) * 7 + 1_000
    paths = []
    for name, ids in (("old", planted.old), ("new", planted.new)):
        order = rng.permutation(len(ids))
        path = folder / f"{name}_matched.parquet"
        writer = None
        for start in range(0, len(ids), rows_to_a_group):
            rows = order[start : start + rows_to_a_group]
            table = _rows(roads[rows], ids[rows])
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table)
        if writer:
            writer.close()
        paths.append(path)
    return paths[0], paths[1]


def _rows(roads: np.ndarray, ids: np.ndarray) -> pa.Table:
    matched = ids != NONE
    return pa.table(
        {
            "id": pa.array(roads),
            "gers_id": gers_texts(ids),
            "match_confidence": pa.array(np.where(matched, 0.9, 0.1)),
            "match_status": pa.array(np.where(matched, "matched", "unmatched")),
        }
    )


def expected_pairs(planted: Planted) -> pa.Table:
    """The pairs that are to be found, each with its kind: `old_gers_id`, `new_gers_id`, `kind`."""
    lone = (planted.old == NONE) | (planted.new == NONE)
    ends = np.isin(planted.kinds, [Kind.DROPPED.value, Kind.GAINED.value])
    keep = ~lone | ends
    keys = np.stack([planted.old[keep], planted.new[keep]])
    _, first = np.unique(keys[0] * (planted.new.max() + 2) + keys[1] + 1, return_index=True)
    return pa.table(
        {
            "old_gers_id": gers_texts(keys[0][first]),
            "new_gers_id": gers_texts(keys[1][first]),
            "kind": pa.array(planted.kinds[keep][first]),
        }
    )


JOIN = """
COPY (SELECT o.gers_id AS old_gers_id, n.gers_id AS new_gers_id, count(*) AS roads
      FROM '{old}' o JOIN '{new}' n USING (id)
      WHERE o.match_status = 'matched' AND n.match_status = 'matched' GROUP BY ALL)
TO '{to}' (FORMAT parquet)
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.succession",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="roads (%(default)s)")
    rows = parser.parse_args().rows
    folder = FILES / f"succession-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    expected, pairs = folder / "expected.parquet", folder / "pairs.parquet"
    old, new = folder / "old_matched.parquet", folder / "new_matched.parquet"
    if not expected.exists():
        planted = plant(rows)
        write_runs(folder, planted)
        pq.write_table(expected_pairs(planted), expected)
    command = ["-m", "gem_core", "succession", str(old), str(new), "--json"]
    measure("command, counts", command, AS_DEPLOYED)
    measure("command, --pairs", [*command, "--pairs", str(pairs)], AS_DEPLOYED)
    query = JOIN.format(old=old, new=new, to=folder / "duckdb.parquet")
    for threads in (1, 2):
        program = (
            f"import duckdb; c = duckdb.connect(config={{'threads': {threads}}}); c.sql({query!r})"
        )
        measure(f"DuckDB, {threads} thread(s)", ["-c", program], {})
    _judge(expected, pairs)
    return 0


def _judge(expected: Path, pairs: Path) -> None:
    columns = "old_gers_id, new_gers_id, kind"
    tables = [f"(SELECT {columns} FROM '{path}')" for path in (expected, pairs)]  # noqa: S608 - our own files

    def count(query: str) -> int:
        ((found,),) = duckdb.connect().execute(f"SELECT count(*) FROM {query}").fetchall()  # noqa: S608 - as above
        return int(found)

    right, planted, found = count(f"({' INTERSECT '.join(tables)})"), *map(count, tables)
    print(f"precision {right / found:.7f}, recall {right / planted:.7f} of {planted:,} pairs")


if __name__ == "__main__":
    sys.exit(main())
