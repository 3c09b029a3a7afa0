"""What became of ids after some releases: their changes, folded in order. Pure (numpy)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

import numpy as np

from gem_core.advice.changes import Change

ROAD = np.dtype([("mixed", "<u8"), ("low", "<u8"), ("output", "<u4")])
"""A matched road: its id, and the number of its output."""


class Fate(IntFlag):
    """What became of an id until the new release; 0 if nothing."""

    REMOVED = 1
    """The new release does not have it."""
    RESTORED = 2
    """It was removed and added again. What it was meanwhile is not known."""
    GEOMETRY = 4
    CLASS = 8
    OTHER = 16
    """Other columns changed."""
    UNKNOWN = 32
    """It changed, in a release whose changelog does not say what."""


OUTDATED = Fate.REMOVED | Fate.RESTORED | Fate.GEOMETRY | Fate.CLASS | Fate.UNKNOWN
"""After these, another match may give another id. Names, for example, do not matter to a match."""
_CHANGES = (Fate.GEOMETRY, Fate.CLASS, Fate.OTHER, Fate.UNKNOWN)
"""`Change` has the same numbers for them."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The distinct ids of outputs, side by side."""

    output: np.ndarray
    mixed: np.ndarray
    low: np.ndarray
    roads: np.ndarray
    """That have the id."""
    fate: np.ndarray
    """`Fate`."""

    def changed(self) -> "Folded":
        """Those of which something became."""
        places = np.flatnonzero(self.fate)
        columns = (self.output, self.mixed, self.low, self.roads, self.fate)
        return Folded(*(column[places] for column in columns))


def fold(roads: np.ndarray, changes: np.ndarray, starts: Mapping[int, int]) -> Folded:
    """What became of each distinct id of each output.

    Args:
        roads: `ROAD`, in any order.
        changes: `changes.CHANGE`, those of these ids among them, in the order in which they were
            read.
        starts: by the number of an output, the first step that is after its release.

    """
    ids = np.concatenate([_keys(roads), _keys(changes)])
    order = np.lexsort((ids["low"], ids["mixed"]))
    ids = ids[order]
    is_new = np.ones(len(ids), np.bool_)
    is_new[1:] = ids[1:] != ids[:-1]
    number = np.empty(len(ids), np.int64)
    number[order] = np.cumsum(is_new) - 1
    of_roads, of_changes = number[: len(roads)], number[len(roads) :]

    count = int(number.max(initial=-1)) + 1
    pairs = roads["output"].astype(np.int64) * max(count, 1) + of_roads
    _, first, many = np.unique(pairs, return_index=True, return_counts=True)
    outputs, ids_of = roads["output"][first], of_roads[first]
    fate = np.zeros(len(first), np.uint8)
    steps = np.array([starts[each] for each in outputs.tolist()], np.int64)
    for start in np.unique(steps).tolist():
        fates = _fates(changes, of_changes, start, count)
        fate[steps == start] = fates[ids_of[steps == start]]
    return Folded(outputs, roads["mixed"][first], roads["low"][first], many, fate)


def _keys(records: np.ndarray) -> np.ndarray:
    found = np.empty(len(records), [("mixed", "<u8"), ("low", "<u8")])
    found["mixed"], found["low"] = records["mixed"], records["low"]
    return found


def _fates(changes: np.ndarray, ids: np.ndarray, start: int, count: int) -> np.ndarray:
    """The fate of each of `count` ids by the changes from a step on."""
    order = np.flatnonzero(changes["step"] >= start)
    order = order[np.argsort(changes["step"][order], kind="stable")]
    kinds, ids = changes["change"][order], ids[order]
    dead, was_dead = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    # Where an index is repeated, the last value is assigned (NumPy, "Assigning values to indexed
    # arrays").
    dead[ids] = (kinds & Change.REMOVED) > 0
    was_dead[ids[(kinds & Change.REMOVED) > 0]] = True
    found = np.zeros(count, np.uint8)
    for fate in _CHANGES:
        found[ids[(kinds & fate) > 0]] |= np.uint8(fate)
    found[was_dead] |= np.uint8(Fate.RESTORED)
    found[dead] = Fate.REMOVED
    return found
