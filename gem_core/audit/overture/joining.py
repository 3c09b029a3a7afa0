"""What is known of a row, by the segments that have its GERS id. Pure (numpy)."""

from enum import IntEnum

import numpy as np

from gem_core.audit.overture.boxes import BOX, known, meets, padded
from gem_core.audit.overture.keys import Keys


class State(IntEnum):
    """What is known of a row. Of several that are found, the first one of this list holds."""

    IN_PLACE = 0
    NO_PLACE = 1
    """The segment is alive; the place of the road or of the segment is not known."""
    ELSEWHERE = 2
    """The segment is alive, and not where the road is."""
    REMOVED = 3
    OUTSIDE = 4
    OTHER_TYPE = 5
    OPEN = 6


_KEY = [("mixed", "<u8"), ("low", "<u8"), ("box", BOX), ("state", "u1")]
ROW = np.dtype([*_KEY, ("row", "<u4")])
"""A row: its id, the box of its road, what is known, its number in the file."""
FOUND = np.dtype(_KEY)
"""An id that was found in Overture, with its box. A row with this id has the state; but if that is
`ELSEWHERE`, the row is in place when the boxes meet."""


def records(kind: np.dtype, keys: Keys, boxes: np.ndarray, state: State) -> np.ndarray:
    """Make records of ids that have all the same state."""
    made = np.empty(len(keys), kind)
    made["mixed"], made["low"], made["box"], made["state"] = keys.mixed, keys.low, boxes, state
    return made


def ordered(rows: np.ndarray) -> np.ndarray:
    """By id, so that rows with one id follow one another."""
    order = np.argsort(rows["mixed"])
    found: np.ndarray = rows.take(order)
    same = found["mixed"][1:] == found["mixed"][:-1]
    if (same & (found["low"][1:] != found["low"][:-1])).any():
        return np.asarray(rows.take(np.lexsort((rows["low"], rows["mixed"]))))
    return found


def distinct(rows: np.ndarray) -> np.ndarray:
    """One row of each id; the rows are ordered."""
    is_new = np.ones(len(rows), np.bool_)
    for half in ("mixed", "low"):
        is_new[1:] &= rows[half][1:] == rows[half][:-1]
    is_new[1:] = ~is_new[1:]
    return rows[is_new]


def judge(rows: np.ndarray, found: np.ndarray) -> None:
    """Set the states of the rows, which are ordered."""
    found = found.take(np.argsort(found["mixed"]))
    own, theirs = rows["mixed"].copy(), found["mixed"].copy()
    places = np.searchsorted(theirs, own)
    left = np.arange(len(rows))
    # An id may be found twice, and two ids may have one `mixed`.
    while len(left):
        left = left[places[left] < len(theirs)]
        left = left[theirs[places[left]] == own[left]]
        here = found.take(places[left])
        same = here["low"] == rows["low"][left]
        _note(rows, left[same], here[same])
        places[left] += 1


def _note(rows: np.ndarray, at: np.ndarray, found: np.ndarray) -> None:
    """Set the states of these rows by what was found of each."""
    roads, segments, states = rows["box"][at], found["box"], found["state"].copy()
    alive = states == State.ELSEWHERE
    near = meets(roads, segments)  # costs less, and decides most
    left = np.flatnonzero(alive & ~near)
    near[left] = meets(padded(roads[left]), segments[left])
    states[alive & near] = State.IN_PLACE
    states[alive & ~(known(roads) & known(segments))] = State.NO_PLACE
    rows["state"][at] = np.minimum(rows["state"][at], states)
