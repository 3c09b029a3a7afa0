"""What the page shows beyond the report: a second, light look at the output. Edge (reads).

Bounded before it starts (`docs/decisions/0031-second-pass-for-the-page.md`); pinned to the version
that the audit read, since the Source is.
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
from gem_core.page.geometry import GEOMETRY, Road, RoadsUnreadable, geometry_problem, road
from gem_core.page.reader import GEOMETRY_BATCH_ROWS, ColumnReader, PageDataUnreadable
from gem_core.page.reservoir import Reservoir

MAP_ROADS = 1_000
"""Of the matched and of the unmatched, each."""

MAP_BYTES = 64 << 20
"""Stored geometry that is read for a map, at most."""

SEED = 20_250_601
"""Any number: the same file gives the same page."""

_BROKEN = (PageDataUnreadable, *UNREADABLE)


@dataclass(frozen=True, slots=True)
class RoadMap:
    """A sample of roads; not in proportion, since each kind has its own share of the sample."""

    matched: tuple[Road, ...] = ()
    unmatched: tuple[Road, ...] = ()
    note: str = ""
    """What was left out and why, or empty."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a second look found."""

    unmatched_histogram: tuple[int, ...] = ()
    """Unmatched rows by confidence, in 20 equal bins over 0 to 1; empty without the two columns."""
    breakdowns: tuple[Breakdown, ...] = ()
    road_map: RoadMap | None = None
    """None when no map was asked for."""
    note: str = ""
    """Why there is nothing, or empty."""
    bytes_read: int = 0


def survey(source: Source, promises: Promises, *, with_map: bool) -> Survey:
    """Read an output once more.

    Raises:
        OutputError: the Source could not be read, or is another version by now.

    """
    try:
        with closing(ColumnReader(source)) as reader:
            return _surveyed(reader, promises, with_map=with_map)
    except _BROKEN as error:
        return Survey(note=f"the rows could not be read: {error}")


def _surveyed(reader: ColumnReader, promises: Promises, *, with_map: bool) -> Survey:
    usable = promises.usable(reader.schema).only(Role.STATUS, Role.CONFIDENCE).columns
    if Role.STATUS not in usable:
        return Survey(note=f"there is no usable {promises.columns[Role.STATUS].name}")
    worth = candidates(reader.schema, reader.metadata, promises.added)
    folds = [BreakdownFold(name) for name in worth]
    columns = [*usable.values()]
    confidences = ConfidenceFold() if Role.CONFIDENCE in usable else None
    sample = _MapSample(reader) if with_map else None
    groups = range(reader.metadata.num_row_groups)
    first = 0
    columns += [fold.column for fold in folds]
    for batch in reader.batches(columns, groups, as_dictionary=columns):
        status = batch.column(usable[Role.STATUS])
        matched, unmatched = _is(status, promises.matched), _is(status, promises.unmatched)
        for fold in folds:
            fold.add(batch.column(fold.column), matched)
        if confidences:
            confidence = batch.column(usable[Role.CONFIDENCE])
            confidences.add(_in_range(confidence.filter(unmatched)))
        if sample:
            sample.add(first, matched, unmatched)
        first += batch.num_rows
    found = (fold.breakdown() for fold in folds)
    return Survey(
        unmatched_histogram=confidences.confidence().histogram if confidences else (),
        breakdowns=tuple(breakdown for breakdown in found if breakdown),
        road_map=sample.road_map() if sample else None,
        bytes_read=reader.bytes_read,
    )


def _is(status: pa.Array, word: str) -> pa.BooleanArray:
    return pc.fill_null(pc.equal(status, word), fill_value=False)


def _in_range(confidences: pa.Array) -> np.ndarray:
    """Those of 0 to 1, in double precision."""
    values = pc.cast(confidences, pa.float64())
    inside = pc.and_(pc.greater_equal(values, 0.0), pc.less_equal(values, 1.0))
    found: np.ndarray = values.filter(inside).to_numpy(zero_copy_only=False)
    return found


class _MapSample:
    """Draws rows from row groups whose geometry fits, then reads the geometry of those.

    A place is a row's number in these row groups alone.
    """

    def __init__(self, reader: ColumnReader) -> None:
        self._reader = reader
        self._problem = geometry_problem(reader.schema, GEOMETRY)
        rows = reader.group_rows()
        self._all_groups = len(rows)
        self._groups = [] if self._problem else _chosen(reader.chunk_bytes(GEOMETRY), rows)
        ends = list(accumulate(rows))
        places = accumulate((rows[group] for group in self._groups), initial=0)
        self._ahead = deque(
            (ends[group] - rows[group], ends[group], place)
            for group, place in zip(self._groups, places, strict=False)
        )
        """First row and end of each chosen group, and the place of its first row."""
        self._kinds = [Reservoir(MAP_ROADS, seed=SEED + kind) for kind in (0, 1)]

    def add(self, first: int, *masks: pa.BooleanArray) -> None:
        """Show a batch: the number of its first row, which rows are matched, which unmatched."""
        end = first + len(masks[0])
        while self._ahead and self._ahead[0][0] < end:
            group_first, group_end, place = self._ahead[0]
            start = max(group_first, first)
            for kind, mask in zip(self._kinds, masks, strict=True):
                part = mask.slice(start - first, min(group_end, end) - start)
                here = pc.indices_nonzero(part).cast(pa.int64())
                kind.add(pc.add(here, place + start - group_first))
            if group_end > end:
                return
            self._ahead.popleft()

    def road_map(self) -> RoadMap:
        """Read the sampled roads."""
        if self._problem:
            return RoadMap(note=self._problem)
        if not self._groups:
            return RoadMap(
                note=_TOO_LARGE if self._reader.metadata.num_rows else "there are no rows"
            )
        try:
            return self._drawn()
        except _BROKEN as error:
            return RoadMap(note=f"the geometry could not be read: {error}")

    def _drawn(self) -> RoadMap:
        kinds: tuple[list[Road], ...] = ([], [])
        samples = [reservoir.rows() for reservoir in self._kinds]
        unreadable, first = 0, 0
        for batch in self._reader.batches(
            [GEOMETRY], self._groups, batch_rows=GEOMETRY_BATCH_ROWS, as_dictionary=[GEOMETRY]
        ):
            for kind, places in zip(kinds, samples, strict=True):
                for text in _texts(batch.column(GEOMETRY), first, places):
                    try:
                        kind.append(road(text))
                    except RoadsUnreadable:
                        unreadable += 1
            first += batch.num_rows
        notes = []
        if len(self._groups) < self._all_groups:
            notes.append(
                f"drawn from {len(self._groups)} of {self._all_groups} row groups, so as to read "
                f"at most {MAP_BYTES >> 20} MiB of geometry"
            )
        if unreadable:
            notes.append(f"{unreadable} of the sampled geometries are no WKT lines")
        return RoadMap(tuple(kinds[0]), tuple(kinds[1]), "; ".join(notes))


_TOO_LARGE = (
    f"no row group has less than {MAP_BYTES >> 20} MiB of geometry, more than is read for a map"
)


def _chosen(sizes: Sequence[int], rows: Sequence[int]) -> list[int]:
    """Row groups, at random, as long as their geometry fits `MAP_BYTES`; ascending."""
    order = [group for group, count in enumerate(rows) if count]
    random.Random(SEED).shuffle(order)  # noqa: S311 - a sample, not a secret
    left, chosen = MAP_BYTES, []
    for group in order:
        if 0 <= sizes[group] <= left:
            left -= sizes[group]
            chosen.append(group)
    return sorted(chosen)


def _texts(column: pa.DictionaryArray, first: int, places: Sequence[int]) -> Iterator[str]:
    """The texts at those places that lie in this batch; null is an empty one."""
    for place in places[bisect_left(places, first) : bisect_left(places, first + len(column))]:
        index = column.indices[place - first].as_py()
        if index is None:
            yield ""
        else:  # may be no valid UTF-8
            yield column.dictionary[index].cast(pa.large_binary()).as_py().decode(errors="replace")
