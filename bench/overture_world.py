"""Writes an Overture release of any size and a matched network with planted truths.

Segments lie in spatial order over a part of the earth, as in Overture. The same arguments give the
same bytes. Only what a look-up reads is there: the four parts of the changelog, and a registry of
the ids that it may be asked about.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from devkit.overture import (
    REGISTRY_SCHEMA,
    SIDES,
    changelog_folder,
    changelog_schema,
    file_name,
)

BEFORE, RELEASE, AFTER = "2026-03-18.0", "2026-04-22.0", "2026-06-17.0"
GROUP_ROWS = 54_000
"""Of a row group, as addresses of July 2026 had them."""
FILE_ROWS = 50 * GROUP_ROWS
_TILE = 2_000
"""Segments in a tenth of a degree."""
_COLUMNS = 300
_WEST, _SOUTH = -15.0, 35.0
_LONG = 0.003
"""Degrees of a segment."""
SEGMENT, CONNECTOR = (
    f"theme=transportation/type={kind}/part-00000.zstd.parquet" for kind in ("segment", "connector")
)

TRUTHS = ("removed", "newer", "connector", "elsewhere", "antimeridian", "restored", "invented")


@dataclass(frozen=True, slots=True)
class Segments:
    """Some segments in order: ids as 16 bytes each, boxes as `overture.boxes` has them."""

    ids: np.ndarray
    boxes: np.ndarray


def segments(first: int, count: int) -> Segments:
    """The segments from this number on; a multiple of `GROUP_ROWS`."""
    ids = np.empty((count, 16), np.uint8)
    places = np.empty((count, 2))
    for at in range(0, count, GROUP_ROWS):
        rng = np.random.default_rng([7, (first + at) // GROUP_ROWS])
        size = min(GROUP_ROWS, count - at)
        ids[at : at + size] = rng.integers(0, 256, (GROUP_ROWS, 16), np.uint8)[:size]
        places[at : at + size] = rng.random((GROUP_ROWS, 2))[:size]
    tiles = np.arange(first, first + count) // _TILE
    lines, columns = np.divmod(tiles, _COLUMNS)
    columns = np.where(lines % 2, _COLUMNS - 1 - columns, columns)
    west = _WEST + columns / 10 + places[:, 0] / 10
    south = _SOUTH + lines / 10 + places[:, 1] / 10
    return Segments(ids, np.stack([west, west + _LONG, south, south + _LONG], axis=1))


def planted(truth: str, count: int) -> Segments:
    """Ids that no numbered segment has, and where their roads are, within the first tiles."""
    rng = np.random.default_rng([11, TRUTHS.index(truth)])
    ids = rng.integers(0, 256, (count, 16), np.uint8)
    west, south = _WEST + rng.random(count), _SOUTH + rng.random(count) / 10
    if truth == "antimeridian":
        west = 179.998 + rng.random(count) / 1000
    return Segments(ids, np.stack([west, west + _LONG, south, south + _LONG], axis=1))


_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_HYPHENS = [8, 13, 18, 23]
_DIGITS = [at for at in range(36) if at not in _HYPHENS]


def texts(ids: np.ndarray) -> pa.StringArray:
    """Ids as UUIDs."""
    letters = np.full((len(ids), 36), ord("-"), np.uint8)
    digits = np.stack([ids >> 4, ids & 15], axis=2).reshape(len(ids), 32)
    letters[:, _DIGITS] = _HEX[digits]
    offsets = np.arange(0, 36 * (len(ids) + 1), 36, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(letters))


def _table(found: Segments, schema: pa.Schema) -> pa.Table:
    kind = schema.field("bbox").type
    boxes = [pa.array(side, kind.field(n).type) for n, side in enumerate(found.boxes.T)]
    columns = [texts(found.ids), pa.StructArray.from_arrays(boxes, fields=list(kind))]
    if "columns_changed" in schema.names:
        columns.append(pa.array([["geometry"]] * len(found.ids), pa.list_(pa.string())))
    return pa.table(columns, schema)


def write_release(root: Path, count: int, each: int) -> None:
    """Write the changelog: 97 of 100 files are unchanged segments. `each` truth is planted."""
    starts = range(0, count, FILE_ROWS)
    for number, first in enumerate(starts):
        change = {7: "added", 13: "data_changed"}.get(number, "unchanged")
        rows = min(FILE_ROWS, count - first)
        _write(root, change, number, segments(first, rows))
    _write(root, "removed", 0, segments(count + FILE_ROWS, FILE_ROWS // 4))
    _write(root, "removed", 1, planted("removed", each))
    _write(root, "added", 900, planted("restored", each))
    around = planted("antimeridian", each)
    around.boxes[:, :2] = -180, 180
    _write(root, "unchanged", 901, around)
    _write_next(root, count + 2 * each)
    _write_registry(root, count, each)


def _write_next(root: Path, rows: int) -> None:
    """Write the next changelog, of which only the number of rows is read: it changes nothing."""
    folder = changelog_folder(root, AFTER, "unchanged")
    folder.mkdir(parents=True, exist_ok=True)
    schema = changelog_schema(AFTER, "unchanged")
    with pq.ParquetWriter(folder / file_name(0), schema, compression="zstd") as writer:
        for at in range(0, rows, FILE_ROWS):
            size = min(FILE_ROWS, rows - at)
            ids = pa.repeat(pa.scalar("", pa.string()), size)
            boxes = pa.nulls(size, schema.field("bbox").type)
            writer.write_table(pa.table([ids, boxes], schema))


def _write(root: Path, change: str, number: int, found: Segments) -> None:
    folder = changelog_folder(root, RELEASE, change)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        _table(found, changelog_schema(RELEASE, change)),
        folder / file_name(number),
        compression="zstd",
        use_dictionary=False,
        row_group_size=GROUP_ROWS,
    )


def far(count: int, each: int) -> Segments:
    """Segments at the other end of the release."""
    return segments((count - FILE_ROWS) // GROUP_ROWS * GROUP_ROWS, each)


def _write_registry(root: Path, count: int, each: int) -> None:
    """The planted ids, among a million that nobody asks about."""
    other = np.random.default_rng(13).integers(0, 256, (1_000_000, 16), np.uint8)
    rows = [
        (other, BEFORE, BEFORE, None),
        (planted("removed", each).ids, BEFORE, BEFORE, None),
        (planted("newer", each).ids, AFTER, AFTER, SEGMENT),
        (planted("connector", each).ids, BEFORE, RELEASE, CONNECTOR),
        (far(count, each).ids, BEFORE, RELEASE, SEGMENT),
    ]
    boxes = {SEGMENT: far(count, each).boxes[0].tolist()}
    tables = []
    for ids, first, last, path in rows:
        size = len(ids)
        box = dict(zip(SIDES, boxes[path], strict=True)) if path in boxes else None
        columns = {
            "id": texts(ids), "version": pa.array([1] * size, pa.int32()),
            "first_seen": [first] * size, "last_seen": [last] * size,
            "last_changed": [first] * size,
            "path": pa.array([path] * size, pa.string()),
            "bbox": pa.array([box] * size, REGISTRY_SCHEMA.field("bbox").type),
        }  # fmt: skip
        tables.append(pa.table(columns, REGISTRY_SCHEMA))
    table = pa.concat_tables(tables).sort_by("id")
    folder = root / "registry"
    folder.mkdir(parents=True, exist_ok=True)
    half = len(table) // 2
    for number, part in enumerate((table[:half], table[half:])):
        pq.write_table(part, folder / file_name(number), compression="zstd", row_group_size=20_000)


def write_job(path: Path, rows: int, count: int, each: int, *, invented: bool) -> dict[str, int]:
    """Write a matched network: the first segments of the release, and the planted ones.

    Returns:
        How many roads have each truth.

    """
    ends = [*range(0, rows, FILE_ROWS), rows]
    truths = {name: each for name in TRUTHS if invented or name != "invented"}
    with pq.ParquetWriter(path, _job_schema(), compression="zstd") as writer:
        done = 0
        for name in truths:
            found = planted(name, each)
            if name == "elsewhere":
                found = Segments(far(count, each).ids, found.boxes)
            done += _write_roads(writer, found, done)
        for first, end in pairwise(ends):
            done += _write_roads(writer, _shuffled(segments(first, end - first)), done)
    return truths


def _shuffled(found: Segments) -> Segments:
    order = np.random.default_rng(17).permutation(len(found.ids))
    return Segments(found.ids[order], found.boxes[order])


def _job_schema() -> pa.Schema:
    return pa.schema(
        [
            ("id", pa.int64()), ("geometry", pa.string()), ("gers_id", pa.string()),
            ("match_confidence", pa.float64()), ("match_status", pa.string()),
        ]
    )  # fmt: skip


def _write_roads(writer: pq.ParquetWriter, found: Segments, first_id: int) -> int:
    for at in range(0, len(found.ids), 1 << 18):
        part = slice(at, at + (1 << 18))
        boxes, ids = found.boxes[part], found.ids[part]
        size = len(ids)
        columns = [
            pa.array(np.arange(first_id + at, first_id + at + size)),
            _lines(boxes),
            texts(ids),
            pa.array(np.full(size, 0.9)),
            pa.array(["matched"] * size),
        ]
        writer.write_table(pa.table(columns, _job_schema()))
    return len(found.ids)


_POINTS = 6
_EAST = 180.0


def _lines(boxes: np.ndarray) -> pa.StringArray:
    """A line through each box, a few metres beside its segment."""
    west, east, south, north = boxes.T

    def number(values: np.ndarray) -> pa.Array:
        turned = np.where(values > _EAST, values - 360, values)
        return pc.cast(pa.array(np.round(turned, 6)), pa.string())

    points: Iterator[pa.Array] = (
        pc.binary_join_element_wise(
            number(west + (east - west) * share), number(south + (north - south) * share**2), " "
        )
        for share in np.linspace(0, 1, _POINTS)
    )
    lines = pc.binary_join_element_wise(*points, ", ")
    return pc.binary_join_element_wise("LINESTRING (", lines, pa.scalar(")"), "")
