"""The content of the page that is not in the report, from a second pass over the output. Edge
(reads).

The pass has limits that are known before it starts
(`docs/decisions/0031-second-pass-for-the-page.md`). It reads the version that was audited, because
the source is pinned to that version.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.contract import ID, Promises
from gem_core.audit.parquet.reader_errors import DataFault, Unsupported
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.confidence import ConfidenceFold
from gem_core.gem.contracts.layout import Role, Scale
from gem_core.page.breakdown import Breakdown, BreakdownFold, candidates
from gem_core.page.map_sample import MapSample, RoadMap, marked_roads
from gem_core.page.reader import ColumnReader


@dataclass(frozen=True, slots=True)
class Survey:
    """The result of the second pass."""

    unmatched_histogram: tuple[int, ...] = ()
    """Unmatched rows by confidence, in 20 equal bins over 0 to 1. Empty when the column of the
    status or of the confidence is unusable."""
    breakdowns: tuple[Breakdown, ...] = ()
    not_shown: tuple[str, ...] = ()
    """Columns of the input without a breakdown."""
    road_map: RoadMap | None = None
    """None when no map was requested."""
    note: str = ""
    """Why there is no result; empty when there is one."""
    bytes_read: int = 0


def survey(
    source: Source,
    promises: Promises,
    *,
    with_map: bool,
    scale: Scale = Scale.UNIT,
    marked: Sequence[int] = (),
) -> Survey:
    """Read an output a second time.

    Args:
        source: the audited version.
        promises: columns and values that GEM promises for this job.
        with_map: whether to sample roads for a map.
        scale: what the confidences mean.
        marked: rows that the map shows whether they are in the sample or not, ascending.

    Raises:
        OutputError: the source cannot be read, or has changed.

    """
    try:
        with closing(ColumnReader(source)) as reader:
            names = candidates(reader.schema, reader.footer, promises.added)
            try:
                found = _surveyed(reader, promises, names, with_map=with_map, scale=scale)
            except Unsupported:  # of a column that no check has read
                found = _surveyed(reader, promises, (), with_map=with_map, scale=scale)
            if found.road_map and marked:
                roads = marked_roads(reader, marked)
                found = replace(found, road_map=replace(found.road_map, marked=roads))
            return replace(found, bytes_read=reader.bytes_read)
    except DataFault as error:
        return Survey(note=f"the rows cannot be read: {error}")


def _surveyed(
    reader: ColumnReader,
    promises: Promises,
    names: Sequence[str],
    *,
    with_map: bool,
    scale: Scale,
) -> Survey:
    """Read the rows once; `names` are the columns that may get a breakdown."""
    if promises.layout.row_per_match:
        return Survey(note="this layout has a row for each match, and no rows of unmatched roads")
    columns_used = promises.usable(reader.schema).only(Role.STATUS, Role.CONFIDENCE)
    usable = columns_used.columns
    if Role.STATUS not in usable:
        return Survey(note=f"there is no usable {promises.columns[Role.STATUS].name}")
    folds = [BreakdownFold(name) for name in names]
    columns = [*usable.values()]
    confidences = ConfidenceFold() if Role.CONFIDENCE in usable else None
    sample = MapSample(reader) if with_map else None
    first = 0
    columns += [fold.column for fold in folds]
    for batch in reader.batches(columns, as_dictionary=columns):
        status = batch.column(usable[Role.STATUS])
        matched = _one_of(status, columns_used.matched)
        unmatched = _one_of(status, columns_used.unmatched)
        for fold in folds:
            fold.add(batch.column(fold.column), matched)
        if confidences:
            confidence = batch.column(usable[Role.CONFIDENCE])
            confidences.add(_in_range(confidence.filter(unmatched), scale))
        if sample:
            sample.add(first, matched, unmatched)
        first += batch.num_rows
    breakdowns = tuple(found for fold in folds if (found := fold.breakdown()))
    shown = {ID, *promises.added, *(breakdown.column for breakdown in breakdowns)}
    return Survey(
        unmatched_histogram=confidences.confidence().histogram if confidences else (),
        breakdowns=breakdowns,
        not_shown=tuple(name for name in reader.schema.names if name not in shown),
        road_map=sample.road_map() if sample else None,
    )


def _one_of(status: pa.Array, words: Sequence[str]) -> pa.BooleanArray:
    found = pc.equal(status, words[0])
    for word in words[1:]:
        found = pc.or_(found, pc.equal(status, word))
    return pc.fill_null(found, fill_value=False)


def _in_range(confidences: pa.Array, scale: Scale) -> np.ndarray:
    """The confidences from 0 to 1, as float64."""
    values = pc.cast(confidences, pa.float64())
    if scale is Scale.PERCENT:
        values = pc.divide(values, 100.0)
    inside = pc.and_(pc.greater_equal(values, 0.0), pc.less_equal(values, 1.0))
    found: np.ndarray = values.filter(inside).to_numpy(zero_copy_only=False)
    return found
