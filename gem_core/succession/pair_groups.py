"""Which pairs of ids are connected, and what became of their ids. Pure (numpy).

Pairs come in two passes: ordered by old id, then by new id. A pair whose ids are in no other pair
is a group by itself. Only the others are kept as edges of a graph, in memory: twelve bytes each.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.succession.components import components
from gem_core.succession.gers_bytes import PACKED, as_rows
from gem_core.succession.kind import KINDS, Kind
from gem_core.succession.road_join import coded, codes, run_starts

LINK_SCHEMA = pa.schema(
    [("new", PACKED), ("pair", pa.uint32()), ("old", pa.uint32()), ("alone", pa.bool_())]
)
"""A pair as its new id sees it: its number, the number of the old id, and whether the old id is in
no other pair."""

DROPPED_SCHEMA = pa.schema([("id", PACKED)])
"""An id of the old run that was dropped."""

_PLACE = {kind: place for place, kind in enumerate(KINDS)}


@dataclass(slots=True)
class GroupCounts:
    """The groups of one kind."""

    groups: int = 0
    old_ids: int = 0
    new_ids: int = 0


def roads_by(keys: np.ndarray, roads: pa.ChunkedArray) -> tuple[np.ndarray, pa.ListArray]:
    """The distinct keys in order, and the roads of each."""
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]
    starts = run_starts(in_order)
    offsets = np.append(starts, len(keys)).astype(np.int32)
    roads_in_order = roads.combine_chunks().take(pa.array(order))
    return in_order[starts], pa.ListArray.from_arrays(pa.array(offsets), roads_in_order)


@dataclass(slots=True)
class PairGroups:
    """Takes pairs by old id, then by new id; `finish` connects them."""

    counts: dict[Kind, GroupCounts] = field(
        default_factory=lambda: {kind: GroupCounts() for kind in KINDS}
    )
    largest: int = 0
    """Ids of the largest group."""
    dropped_elsewhere: int = 0
    """Dropped ids that the new run has under other roads."""
    _kinds: list[np.ndarray] = field(default_factory=list)
    _edges: list[np.ndarray] = field(default_factory=list)
    """Numbers of a pair, its old id, and its new id."""
    _pairs: int = 0
    _old_ids: int = 0
    _new_ids: int = 0
    _group_pairs: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint32))
    """The pairs that are not a group by themselves, in order; and their groups."""
    _group_numbers: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint32))

    @property
    def pairs(self) -> int:
        """How many there are, with ids that were dropped."""
        return self._pairs

    def add_by_old(self, rows: pa.Table) -> tuple[pa.RecordBatch, pa.RecordBatch, pa.RecordBatch]:
        """Take all rows (`road_join.pair_schema`) of some old ids.

        Returns:
            The distinct pairs, with the columns `old`, `new` and `road_ids`; their links, and the
            dropped ids, for `add_by_new`. Pairs are numbered in this order.

        """
        old, new = coded(rows["old"]), coded(rows["new"])
        beyond = len(new.dictionary) + 1
        keys, roads = roads_by(codes(old) * np.int64(beyond) + codes(new) + 1, rows["road"])
        of_old, of_new = np.divmod(keys, beyond)
        of_new -= 1
        partners = np.bincount(of_old[of_new >= 0], minlength=len(old.dictionary))
        # An id that goes on on one road is not dropped, whatever its other roads have.
        counts = (of_new >= 0) | (partners[of_old] == 0)
        of_old, of_new, roads = of_old[counts], of_new[counts], roads.filter(pa.array(counts))
        old_ids = old.dictionary.take(pa.array(of_old))
        new_ids = new.dictionary.take(pa.array(of_new, mask=of_new < 0))
        self._add_kinds(old_ids, new_ids, of_new < 0)
        linked = np.flatnonzero(of_new >= 0)
        links = pa.RecordBatch.from_arrays(
            [
                new_ids.take(pa.array(linked)),
                pa.array((self._pairs + linked).astype(np.uint32)),
                pa.array((self._old_ids + of_old[linked]).astype(np.uint32)),
                pa.array(partners[of_old[linked]] == 1),
            ],
            schema=LINK_SCHEMA,
        )
        self._pairs += len(of_old)
        self._old_ids += len(old.dictionary)
        dropped = old_ids.filter(pa.array(of_new < 0))
        return (
            pa.RecordBatch.from_arrays([old_ids, new_ids, roads], ["old", "new", "road_ids"]),
            links,
            pa.RecordBatch.from_arrays([dropped], schema=DROPPED_SCHEMA),
        )

    def add_by_new(self, links: pa.Table, gained: pa.Table, dropped: pa.Table) -> pa.RecordBatch:
        """Take all links of some new ids, all rows (`road_join.gained_schema`) of these ids, and
        which of them the old run has and dropped.

        Returns:
            The ids that were gained, with the columns `new` and `road_ids`.

        """
        ids = coded(links["new"], gained["new"])
        all_codes, linked = codes(ids), links.num_rows
        partners = np.bincount(all_codes[:linked], minlength=len(ids.dictionary))
        alone = links["alone"].to_numpy() & (partners[all_codes[:linked]] == 1)
        pair, old = links["pair"].to_numpy(), links["old"].to_numpy()
        new = (self._new_ids + all_codes[:linked]).astype(np.uint32)
        self._edges.append(np.stack([pair, old, new])[:, ~alone])
        self._new_ids += len(ids.dictionary)
        lives_on = pc.is_in(dropped["id"], value_set=ids.dictionary)
        self.dropped_elsewhere += pc.sum(lives_on).as_py() or 0
        self._count_alone(pair[alone])
        is_gained = partners[all_codes[linked:]] == 0
        keys, roads = roads_by(
            all_codes[linked:][is_gained], gained["road"].filter(pa.array(is_gained))
        )
        self._count(Kind.GAINED, len(keys), 0, len(keys))
        return pa.RecordBatch.from_arrays(
            [ids.dictionary.take(pa.array(keys)), roads], ["new", "road_ids"]
        )

    def finish(self) -> None:
        """Connect the pairs that share an id, after all have come twice."""
        self._kinds = [np.concatenate(self._kinds)] if self._kinds else []
        dropped = self._number_of(Kind.DROPPED)
        self._count(Kind.DROPPED, dropped, dropped, 0)
        pair, old, new = np.concatenate(self._edges, axis=1) if self._edges else np.zeros((3, 0))
        self._edges.clear()
        if not len(pair):
            return
        old, olds = _renumbered(old, self._old_ids)
        new, news = _renumbered(new, self._new_ids)
        component = components(olds + news, old, new + np.uint32(olds))
        nodes = len(component)
        of_old = np.bincount(component[:olds], minlength=nodes)
        of_new = np.bincount(component[olds:], minlength=nodes)
        kinds = np.select(
            [of_old == 1, of_new == 1], [_PLACE[Kind.SPLIT], _PLACE[Kind.MERGED]],
            _PLACE[Kind.REGROUPED],
        ).astype(np.uint8)  # fmt: skip
        for kind in (Kind.SPLIT, Kind.MERGED, Kind.REGROUPED):
            these = (of_old > 0) & (kinds == _PLACE[kind])
            self._count(kind, int(these.sum()), int(of_old[these].sum()), int(of_new[these].sum()))
        self.largest = max(self.largest, int((of_old + of_new).max()))
        of_pair = component[old]
        self._kinds[0][pair] = kinds[of_pair]
        first = np.full(nodes, self._pairs, np.uint32)
        np.minimum.at(first, of_pair, pair)
        order = np.argsort(pair)
        self._group_pairs, self._group_numbers = pair[order], first[of_pair[order]]

    def kinds_of(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Of some pairs the place of their kind in `KINDS`, and the number of their group.

        A group has the number of its first pair.
        """
        groups = np.arange(start, start + count)
        low, high = np.searchsorted(self._group_pairs, [start, start + count])
        groups[self._group_pairs[low:high] - start] = self._group_numbers[low:high]
        return self._kinds[0][start : start + count], groups

    def _add_kinds(self, old: pa.Array, new: pa.Array, dropped: np.ndarray) -> None:
        """What the pairs are if they are groups by themselves."""
        same = (as_rows(old) == as_rows(new)).all(axis=1)
        kinds = np.where(same, _PLACE[Kind.SAME], _PLACE[Kind.REPLACED])
        self._kinds.append(np.where(dropped, _PLACE[Kind.DROPPED], kinds).astype(np.uint8))

    def _count_alone(self, pairs: np.ndarray) -> None:
        if len(self._kinds) > 1:
            self._kinds = [np.concatenate(self._kinds)]
        if len(pairs):
            same = int((self._kinds[0][pairs] == _PLACE[Kind.SAME]).sum())
            self._count(Kind.SAME, same, same, same)
            replaced = len(pairs) - same
            self._count(Kind.REPLACED, replaced, replaced, replaced)

    def _number_of(self, kind: Kind) -> int:
        return sum(int((kinds == _PLACE[kind]).sum()) for kinds in self._kinds)

    def _count(self, kind: Kind, groups: int, old_ids: int, new_ids: int) -> None:
        found = self.counts[kind]
        found.groups += groups
        found.old_ids += old_ids
        found.new_ids += new_ids
        if groups:
            self.largest = max(self.largest, 1 if 0 in {old_ids, new_ids} else 2)


def _renumbered(numbers: np.ndarray, beyond: int) -> tuple[np.ndarray, int]:
    """The numbers without gaps, in the same order; and how many there are."""
    used = np.zeros(beyond, np.bool_)
    used[numbers] = True
    places = np.cumsum(used, dtype=np.uint32)
    return places[numbers] - np.uint32(1), int(places[-1])
