"""Reads ids and boxes of segments from the files of a changelog. Edge (reads)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.release import Part
from gem_core.audit.parquet.footer import NAME, STORED, FileColumn, Footer
from gem_core.audit.parquet.opened_file import Fault, OpenedFile, open_parquet
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.audit.parquet.thrift import BINARY, member
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import Source

ID, BBOX = "id", "bbox"
SIDES = ("xmin", "xmax", "ymin", "ymax")
_EXTREMES = (0, 1, 0, 1)
"""Of each side, whether the least or the largest value bounds a row group."""
_FLOATS = {4: "<f4", 8: "<f8"}
_FOOTERS = 4
"""Read at a time."""


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A file of the changelog, by its footer."""

    part: Part
    source: Source
    group_rows: Sequence[int]
    group_bytes: Sequence[int]
    """Stored bytes of id and box."""
    group_boxes: np.ndarray
    """From the statistics; NaN where there are none."""


def open_files(files: Sequence[tuple[Part, Source]], meter: Meter) -> list[SegmentFile]:
    """Read the footers.

    Raises:
        Stopped: a file is not as it should be.
        OutputError: a file cannot be read, or has changed.
        MemoryError: there was too little.

    """

    def opened(of: tuple[Part, Source]) -> SegmentFile:
        part, source = of
        with open_file(source, meter) as file:
            _check_columns(file, boxes=part is not Part.REMOVED)
            footer = file.footer
            leaves = footer.leaves([ID, BBOX] if part is not Part.REMOVED else [ID])
            sizes = footer.chunks[:, leaves, STORED].sum(axis=1).tolist()
            boxes = _group_boxes(footer)
            return SegmentFile(part, source, footer.group_rows, sizes, boxes)

    with ThreadPoolExecutor(_FOOTERS, "overture-footers") as pool:
        return [*pool.map(opened, files)]


@contextmanager
def open_file(source: Source, meter: Meter) -> Iterator[OpenedFile]:
    """Open a file of Overture's, and count what was read. Raises as `open_files` does."""
    meter.check()
    with RangeFile(source) as file:
        try:
            found = open_parquet(file)
            if isinstance(found, Fault):
                raise Stopped(f"{source.name} is not readable Parquet: {found.detail}")
            yield found
        except DataFault as fault:
            raise Stopped(f"{source.name} cannot be read: {fault}") from None
        finally:
            meter.count(file.bytes_read, file.requests)


def segments(
    file: SegmentFile, groups: Sequence[int], meter: Meter, *, boxes: bool = True
) -> Iterator[tuple[pa.StringArray, np.ndarray]]:
    """The ids and boxes of these row groups; without `boxes` all are unknown.

    Raises as `open_files` does.
    """
    rows = 0
    with open_file(file.source, meter) as opened:
        names = [ID, BBOX] if boxes else [ID]
        for batch in opened.batches(names, groups=groups):
            meter.check()
            rows += batch.num_rows
            unknown = np.full((0 if boxes else batch.num_rows, 4), np.nan)
            yield batch.column(0), boxes_of(batch.column(1)) if boxes else unknown
    expected = sum(file.group_rows[group] for group in groups)
    if rows != expected:
        raise Stopped(f"{file.source.name} has {rows} rows where its footer says {expected}")


def _check_columns(opened: OpenedFile, *, boxes: bool) -> None:
    schema = opened.schema
    if schema.names.count(ID) != 1 or not pa.types.is_string(schema.field(ID).type):
        raise DataFault(f"there is no text column {ID}")
    if boxes and (problem := box_problem(schema)):
        raise DataFault(problem)


def box_problem(schema: pa.Schema) -> str:
    """What is wrong with the column of boxes; empty when nothing is."""
    kind = schema.field(BBOX).type if schema.names.count(BBOX) == 1 else None
    if kind is None or not pa.types.is_struct(kind):
        return f"there is no column {BBOX} with parts"
    if not all(kind.get_field_index(side) >= 0 for side in SIDES):
        return f"{BBOX} is {kind}, without some of {', '.join(SIDES)}"
    return ""


def boxes_of(column: pa.StructArray) -> np.ndarray:
    """The boxes, as `overture.boxes` has them; NaN where one is null."""
    sides = [column.field(side).cast(pa.float64()).fill_null(np.nan) for side in SIDES]
    found = np.stack([np.asarray(side) for side in sides], axis=1)
    if column.null_count:
        found[np.asarray(column.is_null())] = np.nan
    return found


def _group_boxes(footer: Footer) -> np.ndarray:
    found = np.full((len(footer.group_rows), 4), np.nan)
    leaves = _side_leaves(footer.by_name.get(BBOX))
    groups = [group for group, rows in enumerate(footer.group_rows) if rows]
    for column, (side, extreme) in enumerate(zip(SIDES, _EXTREMES, strict=True)):
        if side in leaves:
            for group, value in zip(groups, footer.statistics(leaves[side]), strict=True):
                found[group, column] = _number(value[extreme]) if value else np.nan
    return found


def _side_leaves(bbox: FileColumn | None) -> dict[str, int]:
    """The number of each side's leaf."""
    if bbox is None or len(bbox.elements) != len(bbox.leaves) + 1:
        return {}
    names = [member(each, NAME, BINARY, b"").decode(errors="replace") for each in bbox.elements[1:]]
    return dict(zip(names, bbox.leaves, strict=True))


def _number(value: bytes) -> float:
    kind = _FLOATS.get(len(value))
    return float(np.frombuffer(value, kind)[0]) if kind else float("nan")
