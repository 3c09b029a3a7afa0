"""The rows of an output that are looked up, on disk. Edge (reads, disk)."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.types import is_bytes, unreadable
from gem_core.audit.contract import GEOMETRY, Promises
from gem_core.audit.ids.spill import SpillSpace
from gem_core.audit.overture.boxes import Area, known, padded
from gem_core.audit.overture.id_filter import IdFilter
from gem_core.audit.overture.joining import ROW, State, records
from gem_core.audit.overture.keys import keys_of
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.partitions import Partitions, bits_for
from gem_core.audit.overture.road_boxes import road_boxes
from gem_core.audit.parquet.opened_file import OpenedFile
from gem_core.audit.rows.gers import GersFormat
from gem_core.audit.rows.gers_formats import formats_of
from gem_core.audit.rows.row_batch import RowBatch
from gem_core.gem.contracts.layout import Role

_MOST_ROWS = 2**32


@dataclass(frozen=True, slots=True)
class JobRows:
    """The matched rows with a GERS id in the format of the release. Close `rows`."""

    rows: Partitions
    """`ROW` records, all of them open."""
    ids: IdFilter
    area: Area
    """Where the roads are."""


def read_job_rows(
    opened: OpenedFile, promises: Promises, format_: GersFormat, space: SpillSpace, meter: Meter
) -> JobRows:
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
    found = Partitions(space, ROW, bits_for(opened.rows))
    job, first = JobRows(found, IdFilter(opened.rows), Area()), 0
    try:
        for batch in opened.batches(names, as_dictionary=usable.repeating):
            meter.check()
            rows = RowBatch(batch, usable)
            wanted = rows.matched_with_gers_id if usable.tells_matches else rows.has_gers_id
            assert wanted is not None  # noqa: S101 - the column is there
            assert rows.gers_ids is not None  # noqa: S101 - as above
            there, ids = np.flatnonzero(wanted), rows.gers_ids
            if len(there) < batch.num_rows:
                ids = ids.take(pa.array(there))
            well_formed = formats_of(ids) == format_.number
            if not well_formed.all():
                there, ids = there[well_formed], ids.filter(pa.array(well_formed))
            keys = keys_of(ids, format_)
            boxes = np.full((len(there), 4), np.nan)
            if GEOMETRY in names:
                boxes = road_boxes(batch.column(GEOMETRY))[there]
                job.area.add(padded(boxes[known(boxes)]))
            made = records(ROW, keys, boxes, State.OPEN)
            made["row"] = there + first
            found.add(keys.mixed, made)
            job.ids.add(keys.mixed)
            first += batch.num_rows
    except BaseException:
        found.close()
        raise
    return job


def _has_geometry(schema: pa.Schema) -> bool:
    if schema.names.count(GEOMETRY) != 1:
        return False
    field = schema.field(GEOMETRY)
    return is_bytes(field.type) and not unreadable(field)
