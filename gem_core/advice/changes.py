"""Reads what a release changed, from its changelog. Edge (reads, disk).

Whole parts are read, wherever their segments lie. The ids of a part take some ten MB. And a segment
that moved may have its old box or its new one in the changelog.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import IntFlag

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.advice.chain import Counts
from gem_core.audit.overture.keys import keys_of
from gem_core.audit.overture.listing import Storage, find_release
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.partitions import Partitions
from gem_core.audit.overture.release import BEFORE, LIVE, NoRelease, Part, Release
from gem_core.audit.overture.segments import ID, open_file
from gem_core.audit.parquet.footer import STORED
from gem_core.audit.parquet.opened_file import OpenedFile
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.gers import format_of_release

COLUMNS = "columns_changed"
"""Names of columns of a changed segment; releases before 2026-03-18.0 do not have it."""
_GEOMETRY, _CLASS = "geometry", "class"
_FOOTERS = 8
"""Read at a time."""


class Change(IntFlag):
    """What happened to an id in a release."""

    REMOVED = 1
    ADDED = 2
    GEOMETRY = 4
    CLASS = 8
    OTHER = 16
    """Only other columns changed."""
    UNKNOWN = 32
    """Something changed, and the changelog does not say what."""


CHANGE = np.dtype([("mixed", "<u8"), ("low", "<u8"), ("step", "<u2"), ("change", "u1")])
"""An id, the number of the release in the chain, and what happened to it there."""


def listed_release(storage: Storage, name: str) -> Release | str:
    """The changelog of exactly this release, or why there is none."""
    found = find_release(storage, name)
    if isinstance(found, NoRelease):
        return found.reason
    return found if found.name == name else "it has no segments"


def count_segments(release: Release, meter: Meter) -> Counts:
    """Count the segments by the footers of all files.

    Raises:
        Stopped: a file is not as it should be, or too much would be read.
        OutputError: a file cannot be read, or has changed.

    """

    def rows(of: tuple[Part, Source]) -> tuple[Part, int]:
        with open_file(of[1], meter) as opened:
            _check(opened, of[1])
            return of[0], opened.rows

    with ThreadPoolExecutor(_FOOTERS, "overture-footers") as pool:
        found = [*pool.map(rows, release.of(*LIVE, Part.REMOVED))]
    return Counts(
        sum(count for part, count in found if part in LIVE),
        sum(count for part, count in found if part in BEFORE),
        sum(count for part, count in found if part is not Part.UNCHANGED),
    )


def read_changes(release: Release, step: int, into: Partitions, meter: Meter) -> None:
    """Add the changes of a release, as `CHANGE`.

    Raises:
        Stopped: a file is not as it should be, or too much would be read.
        OutputError: a file cannot be read, or the files are not those that were listed.
        OddIds: a file has ids of another format.
        SpillFull, OSError: of the disk.

    """
    format_ = format_of_release(release.name)
    for part in (Part.REMOVED, Part.ADDED, Part.CHANGED):
        for _, source in release.of(part):
            for batch in _batches(source, meter, with_columns=part is Part.CHANGED):
                keys = keys_of(batch.column(0), format_)
                found = np.empty(len(keys), CHANGE)
                found["mixed"], found["low"], found["step"] = keys.mixed, keys.low, step
                found["change"] = _kinds(part, batch)
                into.add(keys.mixed, found)
    release.listing.read(0, 1)


def _batches(source: Source, meter: Meter, *, with_columns: bool) -> Iterator[pa.RecordBatch]:
    rows = 0
    with open_file(source, meter) as opened:
        _check(opened, source)
        has_columns = with_columns and opened.schema.names.count(COLUMNS) == 1
        names = [ID, *([COLUMNS] if has_columns else [])]
        leaves = opened.footer.leaves(names)
        size = int(opened.footer.chunks[:, leaves, STORED].sum())
        meter.allow(size, f"reading {source.name}")
        for batch in opened.batches(names):
            meter.check()
            rows += batch.num_rows
            yield batch
        if rows != opened.rows:
            raise Stopped(f"{source.name} has {rows} rows where its footer says {opened.rows}")


def _check(opened: OpenedFile, source: Source) -> None:
    schema = opened.schema
    if schema.names.count(ID) != 1 or not pa.types.is_string(schema.field(ID).type):
        raise Stopped(f"{source.name}: there is no text column {ID}")


def _kinds(part: Part, batch: pa.RecordBatch) -> np.ndarray:
    count = batch.num_rows
    if part is not Part.CHANGED:
        kind = Change.REMOVED if part is Part.REMOVED else Change.ADDED
        return np.full(count, kind, np.uint8)
    if batch.num_columns == 1 or not _is_list_of_text(batch.column(1).type):
        return np.full(count, Change.UNKNOWN, np.uint8)
    lists = batch.column(1)
    rows, names = pc.list_parent_indices(lists), pc.list_flatten(lists)
    found = np.zeros(count, np.uint8)
    is_other = np.ones(len(names), np.bool_)
    for name, kind in ((_GEOMETRY, Change.GEOMETRY), (_CLASS, Change.CLASS)):
        named = np.asarray(pc.fill_null(pc.equal(names, name), fill_value=False))
        found[np.asarray(rows)[named]] |= np.uint8(kind)
        is_other &= ~named
    found[np.asarray(rows)[is_other]] |= np.uint8(Change.OTHER)
    found[found == 0] = Change.UNKNOWN  # null, or an empty list
    return found


def _is_list_of_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) and pa.types.is_string(kind.value_type))
