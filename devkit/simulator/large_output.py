"""Writes a correct output of a chosen size to a file, one row group at a time."""

import random
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from devkit.simulator.roads import (
    ROAD_CLASSES,
    SCHEMA,
    STREETS,
    Figures,
    kilometres,
    line_string,
    split_roads,
    with_matches,
)

ROWS_PER_GROUP = 50_000
POINTS = 40
"""Points of each line. Geometry is the largest part of the file, as in real networks."""


@dataclass(frozen=True, slots=True)
class LargeOutput:
    """A written file, and the figures for the statistics of its job."""

    path: Path
    size: int
    """In bytes."""
    figures: Figures
    input_path: Path | None = None
    """The input file, if it was written too."""


def write_large_output(
    path: Path,
    *,
    size: int,
    rows_per_group: int = ROWS_PER_GROUP,
    input_path: Path | None = None,
) -> LargeOutput:
    """Write row groups until the file has at least `size` bytes (snappy).

    Ids and GERS ids are unique in the whole file. All row groups have the same geometries, which
    saves time. The file does not become smaller, because row groups are compressed separately.

    Args:
        path: the output file.
        size: minimum size in bytes. The file is at most one row group longer.
        rows_per_group: rows of a row group. The memory use depends only on this number.
        input_path: the input file, or None to write no input.

    """
    rng = random.Random(0)
    lines = [line_string(rng, POINTS) for _ in range(rows_per_group)]
    reach = sum(kilometres(line) for line in lines)
    matched, fully = split_roads(rows_per_group)
    groups = 0
    last_id = 10_000_000
    schema = with_matches(SCHEMA.empty_table(), [], [], []).schema
    with pa.OSFile(str(path), "wb") as sink, pq.ParquetWriter(sink, schema) as output:
        sent = pq.ParquetWriter(str(input_path), SCHEMA) if input_path else None
        while groups == 0 or sink.tell() < size:
            roads = _roads(rng, lines, first_id=last_id + 1)
            last_id = roads.column("id")[-1].as_py()
            output.write_table(_matched(rng, roads, matched), row_group_size=rows_per_group)
            if sent:
                sent.write_table(roads, row_group_size=rows_per_group)
            groups += 1
        if sent:
            sent.close()
    figures = Figures(
        groups * rows_per_group, groups * matched, groups * fully, round(groups * reach, 3)
    )
    return LargeOutput(path, path.stat().st_size, figures, input_path)


def _roads(rng: random.Random, lines: list[str], *, first_id: int) -> pa.Table:
    count = len(lines)
    # A sorted sample of a range that is ten times as long: the ids are sparse and unique.
    ids = sorted(rng.sample(range(first_id, first_id + 10 * count), count))
    return pa.table(
        {
            "id": ids,
            "is_navigable": [True] * count,
            "geometry": lines,
            "road_class": rng.choices(ROAD_CLASSES, k=count),
            "name": rng.choices((*STREETS, None), k=count),
        },
        schema=SCHEMA,
    )


def _matched(rng: random.Random, roads: pa.Table, matched: int) -> pa.Table:
    count = roads.num_rows
    chosen = [True] * matched + [False] * (count - matched)
    rng.shuffle(chosen)
    gers_ids = [_gers_id(rng) if found else None for found in chosen]
    confidences = [round(0.6 + rng.random() * 0.4, 4) if found else None for found in chosen]
    statuses = ["matched" if found else "unmatched" for found in chosen]
    return with_matches(roads, gers_ids, confidences, statuses)


def _gers_id(rng: random.Random) -> str:
    """A UUID v4 as text. This is several times as fast as `uuid.UUID`."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
