"""Two runs as rows of (road, GERS id or None), and what is to be found, worked out slowly."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from gem_core.audit.reading.source import FileSource
from gem_core.succession.compare import Limits, compare
from gem_core.succession.result import Succession
from tests.audit.build import gers, write

type Rows = Sequence[tuple[object, str | None]]
type Pair = tuple[str | None, str | None]

type End = tuple[str, str]
"""An id of a group: "old" or "new", and the id."""


def ids(text: str) -> list[str]:
    """GERS ids, by the letters of a text."""
    return [gers(ord(letter)) for letter in text]


def rows(*roads: tuple[object, str]) -> list[tuple[object, str | None]]:
    """Rows of roads; each letter is a GERS id, and without letters the road has no match."""
    found: list[tuple[object, str | None]] = []
    for road, letters in roads:
        found += [(road, id_) for id_ in ids(letters)] or [(road, None)]
    return found


def table(run: Rows, kind: pa.DataType | None = None) -> pa.Table:
    """A run as the page of GEM describes it."""
    matched = [id_ is not None for _, id_ in run]
    return pa.table(
        {
            "id": pa.array([road for road, _ in run], kind or pa.int64()),
            "gers_id": pa.array([id_ for _, id_ in run], pa.string()),
            "match_confidence": pa.array([0.9 if is_ else None for is_ in matched], pa.float64()),
            "match_status": pa.array(
                ["matched" if is_ else "unmatched" for is_ in matched], pa.string()
            ),
        }
    )


def matches_table(run: Rows) -> pa.Table:
    """A run as the newer pages describe it: a row for each match, ids as text."""
    kept = [(str(road), id_) for road, id_ in run if id_]
    return pa.table(
        {
            "id": pa.array([road for road, _ in kept], pa.string()),
            "gers": pa.array([id_ for _, id_ in kept], pa.string()),
            "confidence": pa.array([90] * len(kept), pa.int64()),
        }
    )


def compared(
    folder: Path, old: pa.Table, new: pa.Table, limits: Limits | None = None
) -> tuple[Succession, list[dict[str, Any]]]:
    """The result, and the pairs."""
    sources: list[FileSource] = [
        write(folder, run, f"{name}.parquet") for name, run in (("old", old), ("new", new))
    ]
    pairs: list[dict[str, Any]] = []
    found = compare(
        *sources, limits=limits, take_pairs=lambda batch: pairs.extend(batch.to_pylist())
    )
    return found, pairs


def expected(old: Rows, new: Rows) -> dict[Pair, tuple[str, frozenset[object], frozenset[End]]]:
    """Of each pair its kind, its roads, and all ids of its group."""
    roads = _pairs_by_road(old, new)
    of_pair: dict[Pair, set[object]] = defaultdict(set)
    for road, pairs in roads.items():
        for pair in pairs:
            of_pair[pair].add(road)
    linked = {(one, other) for one, other in of_pair if one and other}
    ends: tuple[set[object], ...] = tuple({pair[side] for pair in linked} for side in (0, 1))
    found = {}
    for pair, its_roads in of_pair.items():
        if None in pair and (pair[0] in ends[0] or pair[1] in ends[1]):
            continue
        group = _group(pair, linked)
        found[pair] = (_kind(group), frozenset(its_roads), group)
    return found


def _pairs_by_road(old: Rows, new: Rows) -> dict[object, set[Pair]]:
    by_road: dict[object, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for side, run in enumerate((old, new)):
        for road, id_ in run:
            by_road[road][side].update({id_} if id_ else ())
    found: dict[object, set[Pair]] = {}
    for road, (before, after) in by_road.items():
        kept, gone, come = before & after, before - after, after - before
        pairs: set[Pair] = {(id_, id_) for id_ in kept}
        left = gone or (kept if come else set())
        right = come or (kept if gone else set())
        pairs |= {(one, other) for one in left for other in right}
        if not right:
            pairs.update((one, None) for one in left)
        if not left:
            pairs.update((None, other) for other in right)
        found[road] = pairs
    return found


def _group(pair: Pair, linked: set[tuple[str, str]]) -> frozenset[End]:
    """The ids of a group, as ("old", id) and ("new", id)."""
    group = {(side, id_) for side, id_ in zip(("old", "new"), pair, strict=True) if id_}
    while True:
        more = {
            end
            for old, new in linked
            if ("old", old) in group or ("new", new) in group
            for end in (("old", old), ("new", new))
        }
        if more <= group:
            return frozenset(group)
        group |= more


def _kind(group: frozenset[End]) -> str:
    old = {id_ for side, id_ in group if side == "old"}
    new = {id_ for side, id_ in group if side == "new"}
    if not new:
        return "dropped"
    if not old:
        return "gained"
    if len(old) == len(new) == 1:
        return "same" if old == new else "replaced"
    return "split" if len(old) == 1 else "merged" if len(new) == 1 else "regrouped"
