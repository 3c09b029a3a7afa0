"""The content of the page that is not in the report, from a second pass over the output. Edge
(reads).

The pass has limits that are known before it starts
(`docs/decisions/0031-second-pass-for-the-page.md`). It reads the version that was audited, because
the source is pinned to that version.
"""

import random
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.contract import Promises
from gem_core.audit.parquet.decoding import UNREADABLE
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.confidence import ConfidenceFold
from gem_core.gem.contracts.contract import Role
from gem_core.page.breakdown import Breakdown, BreakdownFold, candidates
from gem_core.page.geometry import GEOMETRY, Road, RoadsUnreadable, geometry_problem, read_road
from gem_core.page.reader import GEOMETRY_BATCH_ROWS, ColumnReader, PageDataUnreadable
from gem_core.page.reservoir import Reservoir

MAP_ROADS = 1_000
"""Maximum number of matched roads, and of unmatched roads."""

MAP_BYTES = 64 << 20
"""Maximum number of stored bytes of geometry that are read for a map."""

SEED = 20_250_601
"""Any fixed number. The same file then gives the same page."""

_BROKEN = (PageDataUnreadable, *UNREADABLE)


@dataclass(frozen=True, slots=True)
class RoadMap:
    """A sample of matched and a sample of unmatched roads. Their sizes are not in proportion."""

    matched: tuple[Road, ...] = ()
    unmatched: tuple[Road, ...] = ()
    note: str = ""
    """Why roads were left out; empty when none was."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The result of the second pass."""

    unmatched_histogram: tuple[int, ...] = ()
    """Unmatched rows by confidence, in 20 equal bins over 0 to 1. Empty when the column of the
    status or of the confidence is unusable."""
    breakdowns: tuple[Breakdown, ...] = ()
    road_map: RoadMap | None = None
    """None when no map was requested."""
    note: str = ""
    """Why there is no result; empty when there is one."""
    bytes_read: int = 0


def survey(source: Source, promises: Promises, *, with_map: bool) -> Survey:
    """Read an output a second time.

    Args:
        source: the audited version.
        promises: columns and values that GEM promises for this job.
        with_map: whether to sample roads for a map.

    Raises:
        OutputError: the source cannot be read, or has changed.

    """
    try:
        with closing(ColumnReader(source)) as reader:
            return _surveyed(reader, promises, with_map=with_map)
    except _BROKEN as error:
        return Survey(note=f"the rows cannot be read: {error}")


def _surveyed(reader: ColumnReader, promises: Promises, *, with_map: bool) -> Survey:
    usable = promises.usable(reader.schema).only(Role.STATUS, Role.CONFIDENCE).columns
    if Role.STATUS not in usable:
        return Survey(note=f"there is no usable {promises.columns[Role.STATUS].name}")
    names = candidates(reader.schema, reader.metadata, promises.added)
    folds = [BreakdownFold(name) for name in names]
    columns = [*usable.values()]
    confidences = ConfidenceFold() if Role.CONFIDENCE in usable else None
    sample = _MapSample(reader) if with_map else None
    groups = range(reader.metadata.num_row_groups)
    first = 0
    columns += [fold.column for fold in folds]
    for batch in reader.batches(columns, groups, as_dictionary=columns):
        status = batch.column(usable[Role.STATUS])
        matched = _equals(status, promises.matched)
        unmatched = _equals(status, promises.unmatched)
        for fold in folds:
            fold.add(batch.column(fold.column), matched)
        if confidences:
            confidence = batch.column(usable[Role.CONFIDENCE])
            confidences.add(_in_range(confidence.filter(unmatched)))
        if sample:
            sample.add(first, matched, unmatched)
        first += batch.num_rows
    breakdowns = (fold.breakdown() for fold in folds)
    return Survey(
        unmatched_histogram=confidences.confidence().histogram if confidences else (),
        breakdowns=tuple(breakdown for breakdown in breakdowns if breakdown),
        road_map=sample.road_map() if sample else None,
        bytes_read=reader.bytes_read,
    )


def _equals(status: pa.Array, word: str) -> pa.BooleanArray:
    return pc.fill_null(pc.equal(status, word), fill_value=False)


def _in_range(confidences: pa.Array) -> np.ndarray:
    """The confidences from 0 to 1, as float64."""
    values = pc.cast(confidences, pa.float64())
    inside = pc.and_(pc.greater_equal(values, 0.0), pc.less_equal(values, 1.0))
    found: np.ndarray = values.filter(inside).to_numpy(zero_copy_only=False)
    return found


class _MapSample:
    """Samples rows of some row groups, then reads the geometry of the sampled rows.

    The row groups are chosen so that their geometry fits into `MAP_BYTES`. An index is the number
    of a row within the chosen row groups.
    """

    def __init__(self, reader: ColumnReader) -> None:
        self._reader = reader
        self._problem = geometry_problem(reader.schema, GEOMETRY)
        rows = reader.group_rows()
        self._all_groups = len(rows)
        self._groups = [] if self._problem else _choose_groups(reader.chunk_bytes(GEOMETRY), rows)
        ends = list(accumulate(rows))
        indexes = accumulate((rows[group] for group in self._groups), initial=0)
        self._ahead = deque(
            (ends[group] - rows[group], ends[group], index)
            for group, index in zip(self._groups, indexes, strict=False)
        )
        """First row and end of each chosen group, and the index of its first row."""
        self._kinds = [Reservoir(MAP_ROADS, seed=SEED + kind) for kind in (0, 1)]

    def add(self, first: int, *masks: pa.BooleanArray) -> None:
        """Add a batch.

        Args:
            first: number of its first row in the file.
            masks: which rows are matched, and which are unmatched.

        """
        end = first + len(masks[0])
        while self._ahead and self._ahead[0][0] < end:
            group_first, group_end, index = self._ahead[0]
            start = max(group_first, first)
            for kind, mask in zip(self._kinds, masks, strict=True):
                part = mask.slice(start - first, min(group_end, end) - start)
                selected = pc.indices_nonzero(part).cast(pa.int64())
                kind.add(pc.add(selected, index + start - group_first))
            if group_end > end:
                return
            self._ahead.popleft()

    def road_map(self) -> RoadMap:
        """Read the roads of the sample."""
        if self._problem:
            return RoadMap(note=self._problem)
        if not self._groups:
            return RoadMap(
                note=_TOO_LARGE if self._reader.metadata.num_rows else "there are no rows"
            )
        try:
            return self._read_roads()
        except _BROKEN as error:
            return RoadMap(note=f"the geometry cannot be read: {error}")

    def _read_roads(self) -> RoadMap:
        kinds: tuple[list[Road], ...] = ([], [])
        samples = [reservoir.rows() for reservoir in self._kinds]
        unreadable, first = 0, 0
        for batch in self._reader.batches(
            [GEOMETRY], self._groups, batch_rows=GEOMETRY_BATCH_ROWS, as_dictionary=[GEOMETRY]
        ):
            for kind, indexes in zip(kinds, samples, strict=True):
                for text in _texts(batch.column(GEOMETRY), first, indexes):
                    try:
                        kind.append(read_road(text))
                    except RoadsUnreadable:
                        unreadable += 1
            first += batch.num_rows
        notes = []
        if len(self._groups) < self._all_groups:
            notes.append(
                f"the sample is from {len(self._groups)} of {self._all_groups} row groups, because "
                f"at most {MAP_BYTES >> 20} MiB of geometry are read"
            )
        if unreadable:
            notes.append(f"{unreadable} of the sampled geometries are not valid WKT lines")
        return RoadMap(tuple(kinds[0]), tuple(kinds[1]), "; ".join(notes))


_TOO_LARGE = f"every row group has more geometry than is read for a map ({MAP_BYTES >> 20} MiB)"


def _choose_groups(sizes: Sequence[int], rows: Sequence[int]) -> list[int]:
    """Random row groups whose geometry fits into `MAP_BYTES` together, ascending.

    Args:
        sizes: bytes of geometry in each row group.
        rows: number of rows in each row group.

    """
    order = [group for group, count in enumerate(rows) if count]
    random.Random(SEED).shuffle(order)  # noqa: S311 - a sample, not a secret
    left, chosen = MAP_BYTES, []
    for group in order:
        if 0 <= sizes[group] <= left:
            left -= sizes[group]
            chosen.append(group)
    return sorted(chosen)


def _texts(column: pa.DictionaryArray, first: int, indexes: Sequence[int]) -> Iterator[str]:
    """The texts of the sampled rows in one batch. Null gives an empty text.

    Args:
        column: the geometry of the batch.
        first: index of the first row of the batch.
        indexes: indexes of all sampled rows, ascending.

    """
    end = first + len(column)
    for index in indexes[bisect_left(indexes, first) : bisect_left(indexes, end)]:
        code = column.indices[index - first].as_py()
        if code is None:
            yield ""
        else:  # the text may be invalid UTF-8
            yield column.dictionary[code].cast(pa.large_binary()).as_py().decode(errors="replace")
