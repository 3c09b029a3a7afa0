"""Writes matched networks of any size and layout. The same arguments give the same bytes."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MATCHED_SHARE = 0.8468
_GEOMETRIES = 4096
"""Number of distinct lines; rows choose one at random. No contestant reads them."""

_BLOCK = 1 << 20
"""Number of rows that are created together."""


class Order(StrEnum):
    """The order and kind of the ids in the file."""

    SORTED = "sorted"
    """Ascending with gaps, as from OpenStreetMap."""
    DENSE = "dense"
    """All numbers of a range, shuffled."""
    SPARSE = "sparse"
    """Ascending with gaps, shuffled."""
    TEXT = "text"
    """Sixteen random characters."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Row groups and compression of a file."""

    compression: str
    group_rows: int
    heavy_geometry: bool = False
    """Whether all geometries differ, so that they need as much space as in real networks."""

    def __str__(self) -> str:
        return f"{self.compression} {self.group_rows >> 10}k"


BIG_GROUPS = Layout("snappy", 1 << 20)
SMALL_GROUPS = Layout("zstd", 1 << 17)


def write_network(path: Path, rows: int, order: Order, layout: Layout, *, seed: int = 1) -> Path:
    """Write a matched network unless the file exists."""
    if path.exists():
        return path
    rng = np.random.default_rng(seed)
    ids = ids_of(rng, rows, order)
    lines = _lines(rng)
    unfinished = path.with_suffix(".unfinished")
    writer = None
    for start in range(0, rows, _BLOCK):
        table = _block(rng, ids[start : start + _BLOCK], lines)
        writer = writer or pq.ParquetWriter(
            unfinished,
            table.schema,
            compression=layout.compression,
            use_dictionary=[
                name
                for name in table.column_names
                if name != "geometry" or not layout.heavy_geometry
            ],
        )
        writer.write_table(table, row_group_size=layout.group_rows)
    if writer:
        writer.close()
    unfinished.rename(path)
    return path


def ids_of(rng: np.random.Generator, rows: int, order: Order) -> pa.Array:
    """Distinct ids (texts are distinct with very high probability)."""
    if order is Order.TEXT:
        raw = rng.integers(ord("a"), ord("z") + 1, rows * 16, np.uint8)
        offsets = np.arange(0, rows * 16 + 1, 16, dtype=np.int32)
        return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(raw))
    if order is Order.DENSE:
        return pa.array(rng.permutation(rows) + 1_000_000)
    sparse = 1_000_000 + np.cumsum(rng.integers(1, 1000, rows))
    if order is Order.SPARSE:
        rng.shuffle(sparse)
    return pa.array(sparse)


def _lines(rng: np.random.Generator) -> pa.Array:
    def line(points: int) -> str:
        pairs = rng.random((points, 2)) * [10, 5] + [3, 50]
        return "LINESTRING (" + ", ".join(f"{x:.6f} {y:.6f}" for x, y in pairs) + ")"

    return pa.array([line(int(points)) for points in rng.integers(3, 15, _GEOMETRIES)])


def _block(rng: np.random.Generator, ids: pa.Array, lines: pa.Array) -> pa.Table:
    geometry = lines.take(pa.array(rng.integers(0, len(lines), len(ids))))
    return matched_rows(rng, ids).add_column(1, "geometry", geometry)


def matched_rows(rng: np.random.Generator, ids: pa.Array) -> pa.Table:
    """The columns that are audited."""
    rows = len(ids)
    matched = rng.random(rows) < MATCHED_SHARE
    nothing = pa.array(~matched)
    words = pa.DictionaryArray.from_arrays(
        pa.array((~matched).astype(np.int32)), pa.array(["matched", "unmatched"])
    )
    return pa.table(
        {
            "id": ids,
            "gers_id": _blank(_uuids(rng, rows), nothing),
            "match_confidence": pa.array(
                np.round(0.6 + 0.4 * rng.random(rows), 4), mask=~matched, type=pa.float64()
            ),
            "match_status": words.cast(pa.string()),
        }
    )


def _uuids(rng: np.random.Generator, rows: int) -> pa.StringArray:
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = digits[rng.integers(0, 16, (rows, 36), np.uint8)]
    text[:, [8, 13, 18, 23]] = ord("-")
    offsets = np.arange(0, rows * 36 + 1, 36, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))


def _blank(texts: pa.Array, nothing: pa.Array) -> pa.Array:
    return pc.if_else(nothing, pa.scalar(None, texts.type), texts)
