"""The GERS ids of an output with the boxes of their roads, sorted on disk. Edge (reads, disk)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, true_at
from gem_core.audit.arrow.types import is_bytes, unreadable
from gem_core.audit.contract import GEOMETRY, Promises
from gem_core.audit.ids.spill import SpillSpace
from gem_core.audit.overture.boxes import BOX, Area, known, padded
from gem_core.audit.overture.id_index import IdIndex
from gem_core.audit.overture.keys import Keys, keys_of
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.partitions import Partitions, bits_for
from gem_core.audit.overture.road_boxes import road_boxes
from gem_core.audit.parquet.opened_file import OpenedFile
from gem_core.audit.rows.gers import GERS_PATTERN, GersFormat
from gem_core.audit.rows.gers_formats import uniform_format
from gem_core.audit.rows.row_batch import RowBatch
from gem_core.gem.contracts.layout import Role

_KEYED = np.dtype([("mixed", "<u8"), ("low", "<u8"), ("box", BOX), ("row", "<u4")])
NUMBERED = np.dtype([("number", "<u4"), ("box", BOX), ("row", "<u4")])
"""A row: the number of its id in the index, the box of its road, its number in the file."""
_MOST_ROWS = 2**32


@dataclass(frozen=True, slots=True)
class JobIds:
    """The matched rows with a GERS id in the format of the release. Close `rows`."""

    index: IdIndex
    rows: Partitions
    """`NUMBERED` records; each part has the rows of successive numbers, ascending."""
    area: Area
    """Where the roads are."""
    count: int
    """Of the rows."""


def read_job_ids(
    opened: OpenedFile, promises: Promises, format_: GersFormat, space: SpillSpace, meter: Meter
) -> JobIds:
    """Read ids and geometry of an output.

    Raises:
        Stopped: the output has no GERS ids, too many rows, or the time is over.
        DataFault: the rows cannot be read.
        OutputError, MemoryError, SpillFull, OSError: as the files have it.

    """
    usable = promises.usable(opened.schema).only(Role.GERS_ID, Role.STATUS)
    if Role.GERS_ID not in usable.columns:
        raise Stopped(f"there is no usable {promises.columns[Role.GERS_ID].name}")
    if opened.rows > _MOST_ROWS:
        raise Stopped(f"more than {_MOST_ROWS} rows")
    names = [*usable.names, *([GEOMETRY] if _has_geometry(opened.schema) else [])]
    bits, area, first, kept = bits_for(opened.rows), Area(), 0, 0
    keyed = Partitions(space, _KEYED, bits)
    try:
        for batch in opened.batches(names, as_dictionary=usable.repeating):
            meter.check()
            rows = RowBatch(batch, usable)
            wanted = rows.matched_with_gers_id if usable.tells_matches else rows.has_gers_id
            assert wanted is not None  # noqa: S101 - the column is there
            assert rows.gers_ids is not None  # noqa: S101 - as above
            there = np.flatnonzero(wanted)
            ids = rows.gers_ids.take(pa.array(there))
            well_formed = _of_format(ids, format_)
            there, ids = there[well_formed], ids.filter(pa.array(well_formed))
            found = np.empty(len(there), _KEYED)
            keys = keys_of(ids, format_)
            found["mixed"], found["low"], found["row"] = keys.mixed, keys.low, there + first
            found["box"] = np.nan
            if GEOMETRY in names:
                boxes = road_boxes(batch.column(GEOMETRY))[there]
                found["box"] = boxes
                area.add(padded(boxes[known(boxes)]))
            keyed.add(keys.mixed, found)
            first += batch.num_rows
            kept += len(there)
        return _numbered(keyed, Partitions(space, NUMBERED, bits), area, kept)
    finally:
        keyed.close()


def _has_geometry(schema: pa.Schema) -> bool:
    if schema.names.count(GEOMETRY) != 1:
        return False
    field = schema.field(GEOMETRY)
    return is_bytes(field.type) and not unreadable(field)


def _of_format(ids: pa.StringArray, format_: GersFormat) -> Mask:
    """Which of these ids, none of them null, have the format."""
    everyone = np.ones(len(ids), np.bool_)
    uniform = uniform_format(ids, everyone)
    if uniform:
        return everyone if uniform.format in {format_, None} else ~everyone
    of_length = true_at(pc.equal(pc.binary_length(ids), format_.length))
    return of_length & true_at(pc.match_substring_regex(ids, GERS_PATTERN))


def _numbered(keyed: Partitions, rows: Partitions, area: Area, count: int) -> JobIds:
    """Sort each part, and number the distinct ids."""
    mixed, low = np.empty(count, np.uint64), np.empty(count, np.uint64)
    ids = 0
    try:
        for part in keyed.drain():
            found = part[_order(part["mixed"], part["low"])]
            is_new = np.ones(len(found), np.bool_)
            is_new[1:] = found["mixed"][1:] != found["mixed"][:-1]
            is_new[1:] |= found["low"][1:] != found["low"][:-1]
            distinct = found[is_new]
            mixed[ids : ids + len(distinct)] = distinct["mixed"]
            low[ids : ids + len(distinct)] = distinct["low"]
            numbered = np.empty(len(found), NUMBERED)
            numbered["number"] = ids + np.cumsum(is_new) - 1
            numbered["box"], numbered["row"] = found["box"], found["row"]
            rows.add(found["mixed"], numbered)
            ids += len(distinct)
    except BaseException:
        rows.close()
        raise
    return JobIds(IdIndex(Keys(mixed[:ids], low[:ids])), rows, area, count)


def _order(mixed: np.ndarray, low: np.ndarray) -> np.ndarray:
    """By `mixed`, and by `low` where that is equal."""
    order = np.argsort(mixed)
    ties = mixed[order][1:] == mixed[order][:-1]
    if (ties & (low[order][1:] != low[order][:-1])).any():
        return np.lexsort((low, mixed))
    return np.asarray(order)
