"""A sample of the roads of an output, for the map of the page. Edge (reads)."""

import random
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.contract import GEOMETRY
from gem_core.audit.parquet.reader_errors import DataFault
from gem_core.page.reader import ColumnReader, weights
from gem_core.page.reservoir import Reservoir
from gem_core.page.roads import Road, RoadsUnreadable, geometry_problem, read_road

MAP_ROADS = 1_000
"""Maximum number of matched roads, and of unmatched roads."""

MAP_BYTES = 64 << 20
"""Maximum number of stored bytes of geometry that are read for a map."""

SEED = 20_250_601
"""Any fixed number. The same file then gives the same page."""


@dataclass(frozen=True, slots=True)
class RoadMap:
    """A sample of matched and a sample of unmatched roads. Their sizes are not in proportion."""

    matched: tuple[Road, ...] = ()
    unmatched: tuple[Road, ...] = ()
    note: str = ""
    """Why roads were left out; empty when none was."""
    marked: tuple[Road, ...] = ()
    """Roads whose GERS ids Overture does not have, or has elsewhere."""


class MapSample:
    """Samples rows of some row groups, then reads the geometry of the sampled rows.

    The row groups are chosen so that their geometry fits into `MAP_BYTES`. An index is the number
    of a row within the chosen row groups.
    """

    def __init__(self, reader: ColumnReader) -> None:
        self._reader = reader
        self._problem = geometry_problem(reader.schema, GEOMETRY)
        rows = reader.footer.group_rows
        self._groups = (
            [] if self._problem else choose_groups(weights(reader.footer, GEOMETRY), rows)
        )
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
            return RoadMap(note=_TOO_LARGE if self._reader.footer.rows else "there are no rows")
        try:
            return self._read_roads()
        except DataFault as error:
            return RoadMap(note=f"the geometry cannot be read: {error}")

    def _read_roads(self) -> RoadMap:
        kinds: tuple[list[Road], ...] = ([], [])
        samples = [reservoir.rows() for reservoir in self._kinds]
        unreadable, first = 0, 0
        # Not as a dictionary, which pyarrow would build again for each batch: geometries differ.
        for batch in self._reader.batches([GEOMETRY], self._groups):
            for kind, indexes in zip(kinds, samples, strict=True):
                for value in geometries(batch.column(GEOMETRY), first, indexes):
                    try:
                        kind.append(read_road(value))
                    except RoadsUnreadable:
                        unreadable += 1
            first += batch.num_rows
        note = sample_note(self._groups, self._reader.footer.group_rows, unreadable)
        return RoadMap(tuple(kinds[0]), tuple(kinds[1]), note)


def marked_roads(reader: ColumnReader, rows: Sequence[int]) -> tuple[Road, ...]:
    """The roads of these rows, ascending, as far as their geometry fits into `MAP_BYTES`.

    Raises:
        DataFault, MemoryError, OutputError: see `reader_errors.told_apart`.

    """
    if geometry_problem(reader.schema, GEOMETRY):
        return ()
    sizes, ends = weights(reader.footer, GEOMETRY), [*accumulate(reader.footer.group_rows)]
    groups, wanted, left, first = [], [], MAP_BYTES, 0
    for group, (end, size) in enumerate(zip(ends, sizes, strict=True)):
        begin = end - reader.footer.group_rows[group]
        inside = rows[bisect_left(rows, begin) : bisect_left(rows, end)]
        if inside and 0 <= size <= left:
            left -= size
            groups.append(group)
            wanted += [first + row - begin for row in inside]
            first += end - begin
    found: list[Road] = []
    first = 0
    for batch in reader.batches([GEOMETRY], groups) if groups else ():
        for value in geometries(batch.column(GEOMETRY), first, wanted):
            with suppress(RoadsUnreadable):
                found.append(read_road(value))
        first += batch.num_rows
    return tuple(found)


_TOO_LARGE = f"every row group has more geometry than is read for a map ({MAP_BYTES >> 20} MiB)"


def choose_groups(sizes: Sequence[int], rows: Sequence[int]) -> list[int]:
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


def sample_note(groups: Sequence[int], rows: Sequence[int], unreadable: int) -> str:
    """What the map lacks, in words; or empty.

    Args:
        groups: the row groups that were read.
        rows: number of rows in each row group of the file.
        unreadable: number of geometries that are no lines.

    """
    with_rows = len(rows) - rows.count(0)
    notes = []
    if len(groups) < with_rows:
        notes.append(
            f"the sample is from {len(groups)} of {with_rows} row groups, because at most "
            f"{MAP_BYTES >> 20} MiB of geometry are read"
        )
    if unreadable:
        notes.append(
            f"{unreadable} of the sampled geometries cannot be drawn: null, or not a valid line"
        )
    return "; ".join(notes)


def geometries(column: pa.Array, first: int, indexes: Sequence[int]) -> Iterator[str | bytes]:
    """The geometries of the sampled rows in one batch. Null gives an empty text.

    Args:
        column: the geometry of the batch.
        first: index of the first row of the batch.
        indexes: indexes of all sampled rows, ascending.

    """
    end = first + len(column)
    for index in indexes[bisect_left(indexes, first) : bisect_left(indexes, end)]:
        stored = column[index - first].as_buffer()
        value = stored.to_pybytes() if stored else b""
        # A column without an annotation may hold text too. WKB begins with 0 or 1.
        is_wkb = pa.types.is_binary(column.type) and value[:1] in {b"\0", b"\1"}
        yield value if is_wkb else value.decode(errors="replace")  # it may be invalid UTF-8
