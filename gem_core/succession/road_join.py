"""The GERS ids that a road has in both runs, paired. Pure (numpy).

A road may have several ids in a run. What it has in both runs is paired with itself. An id that the
road has in one run only is paired with the ids that it has in the other run only. If there are
none, it is paired with the ids that the road kept. If the road kept none, the id has no pair.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import pyarrow as pa

from gem_core.succession.gers_bytes import PACKED

MAX_PAIRS_OF_ROAD = 10_000
"""More pairs than this come only of files whose ids do not tell roads apart."""
_SLICE_PAIRS = 1 << 18
"""Pairs that are made at once."""


class RoadsNotDistinct(Exception):
    """A road has too many GERS ids in both runs; the message names it."""


@dataclass(slots=True)
class Roads:
    """Distinct roads by what became of their matches. Each road is counted once."""

    only_old: int = 0
    """They have no row in the new file."""
    only_new: int = 0
    unmatched: int = 0
    """In both files, matched in neither run."""
    unchanged: int = 0
    """They have the same ids in both runs, at least one."""
    changed: int = 0
    """They have ids in both runs, but not the same."""
    lost: int = 0
    """In both files, matched in the old run only."""
    won: int = 0
    """In both files, matched in the new run only."""

    def __add__(self, other: Self) -> Self:
        names = [each.name for each in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class _Ids:
    """Distinct (road, id) as numbers, by road."""

    roads: np.ndarray
    ids: np.ndarray

    def where(self, rows: np.ndarray) -> "_Ids":
        return _Ids(self.roads[rows], self.ids[rows])


def pair_schema(road: pa.DataType) -> pa.Schema:
    """The columns of pairs: the old id, the new id or null, and the road that has them."""
    return pa.schema([("old", PACKED), ("new", PACKED), ("road", road)])


def gained_schema(road: pa.DataType) -> pa.Schema:
    """The columns of new ids that have no old one on a road, and the road."""
    return pa.schema([("new", PACKED), ("road", road)])


class RoadJoin:
    """All rows of both files about some roads."""

    def __init__(self, old: pa.Table, new: pa.Table) -> None:
        """Take `road` and `gers` of both files, as `matched_file` gives them."""
        roads, gers = coded(old["road"], new["road"]), coded(old["gers"], new["gers"])
        self._road_values, self._gers_values = roads.dictionary, gers.dictionary
        road, id_, rows = codes(roads), codes(gers), old.num_rows
        self._in_old = np.zeros(len(self._road_values), np.bool_)
        self._in_new = self._in_old.copy()
        self._in_old[road[:rows]] = True
        self._in_new[road[rows:]] = True
        self._old = self._distinct(road[:rows], id_[:rows])
        self._new = self._distinct(road[rows:], id_[rows:])
        of_old, of_new = self._combined(self._old), self._combined(self._new)
        is_kept = _are_in(of_old, of_new)
        self._kept, self._gone = self._old.where(is_kept), self._old.where(~is_kept)
        self._come = self._new.where(~_are_in(of_new, of_old))

    def roads(self) -> Roads:
        """Count the roads."""
        old, new = self._have(self._old), self._have(self._new)
        differs = self._have(self._gone) | self._have(self._come)
        both_files, matched = self._in_old & self._in_new, old & new
        return Roads(
            only_old=_count(~self._in_new),
            only_new=_count(~self._in_old),
            unmatched=_count(both_files & ~old & ~new),
            unchanged=_count(matched & ~differs),
            changed=_count(matched & differs),
            lost=_count(both_files & old & ~new),
            won=_count(both_files & new & ~old),
        )

    def pairs(self) -> Iterator[pa.RecordBatch]:
        """Batches as `pair_schema` says.

        Raises:
            RoadsNotDistinct: a road has too many ids.

        """
        kept, gone, come = self._kept, self._gone, self._come
        kept_roads, gone_roads, come_roads = map(self._have, (kept, gone, come))
        gone_alone, come_alone = ~come_roads[gone.roads], ~gone_roads[come.roads]
        yield self._batch(kept.ids, kept.ids, kept.roads)
        yield from self._crossed(gone, come)
        yield from self._crossed(gone.where(gone_alone), kept)
        yield from self._crossed(kept, come.where(come_alone))
        lost = gone.where(gone_alone & ~kept_roads[gone.roads])
        yield self._batch(lost.ids, None, lost.roads)

    def gained(self) -> pa.RecordBatch:
        """A batch as `gained_schema` says."""
        won = self._come.where(~self._have(self._old)[self._come.roads])
        roads = self._road_values.take(pa.array(won.roads))
        return pa.RecordBatch.from_arrays(
            [self._gers_values.take(pa.array(won.ids)), roads], schema=gained_schema(roads.type)
        )

    def _crossed(self, left: _Ids, right: _Ids) -> Iterator[pa.RecordBatch]:
        """Each id on the left with each on the right of the same road."""
        starts = np.searchsorted(right.roads, left.roads, side="left")
        counts = np.searchsorted(right.roads, left.roads, side="right") - starts
        totals = np.bincount(left.roads, counts, len(self._road_values))
        if len(totals) and totals.max() > MAX_PAIRS_OF_ROAD:
            road = self._road_values[int(totals.argmax())].as_py()
            raise RoadsNotDistinct(
                f"road {road!r} has so many GERS ids in both files that they make "
                f"{int(totals.max()):,} pairs: the column id does not tell roads apart"
            )
        ends = np.cumsum(counts)
        at = 0
        while at < len(counts):
            done = int(ends[at - 1]) if at else 0
            end = max(int(np.searchsorted(ends, done + _SLICE_PAIRS, side="right")), at + 1)
            some = counts[at:end]
            within = np.arange(some.sum()) - np.repeat(np.cumsum(some) - some, some)
            places = np.repeat(starts[at:end], some) + within
            rows = np.repeat(np.arange(at, end), some)
            yield self._batch(left.ids[rows], right.ids[places], left.roads[rows])
            at = end

    def _batch(self, old: np.ndarray, new: np.ndarray | None, roads: np.ndarray) -> pa.RecordBatch:
        values = self._gers_values
        road = self._road_values.take(pa.array(roads))
        of_new = pa.nulls(len(roads), PACKED) if new is None else values.take(pa.array(new))
        return pa.RecordBatch.from_arrays(
            [values.take(pa.array(old)), of_new, road], schema=pair_schema(road.type)
        )

    def _distinct(self, roads: np.ndarray, ids: np.ndarray) -> _Ids:
        matched = ids >= 0
        combined = self._combined(_Ids(roads[matched], ids[matched]))
        combined.sort()
        return _Ids(*np.divmod(combined[run_starts(combined)], max(len(self._gers_values), 1)))

    def _combined(self, ids: _Ids) -> np.ndarray:
        """One number for each (road, id), in the order of the roads."""
        found: np.ndarray = ids.roads.astype(np.int64) * max(len(self._gers_values), 1) + ids.ids
        return found

    def _have(self, ids: _Ids) -> np.ndarray:
        """Of each road, whether it has one of the ids."""
        found = np.zeros(len(self._road_values), np.bool_)
        found[ids.roads] = True
        return found


def coded(*columns: pa.ChunkedArray) -> pa.DictionaryArray:
    """The columns, one after the other, with their distinct values as a dictionary."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    return pa.chunked_array(chunks, columns[0].type).combine_chunks().dictionary_encode()


def codes(values: pa.DictionaryArray) -> np.ndarray:
    """The number of each row's value; -1 at nulls."""
    found: np.ndarray = values.indices.fill_null(-1).to_numpy()
    return found


def run_starts(values: np.ndarray) -> np.ndarray:
    """Where each distinct value begins in values that are in order."""
    starts: np.ndarray = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.concatenate([np.zeros(min(len(values), 1), np.int64), starts])


def _are_in(these: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of these values are among the others; both are in order."""
    if not len(others):
        return np.zeros(len(these), np.bool_)
    places = np.minimum(np.searchsorted(others, these), len(others) - 1)
    found: np.ndarray = others[places] == these
    return found


def _count(these: np.ndarray) -> int:
    return int(np.count_nonzero(these))
