"""Three releases in which each segment has a fate, and an output that has one road of each."""

from gem_core.advice.fold import Fate
from tests.advice.world import FIRST, OLD, SECOND, State
from tests.audit.overture.world import gers

SAME, GONE, AWAY, MOVED, CLASS, NAMED, BACK, TWICE, NEW, OTHERS = map(gers, range(10))
BEFORE: State = dict.fromkeys(
    (SAME, GONE, AWAY, MOVED, CLASS, NAMED, BACK, TWICE, OTHERS), (0, 0, 0)
)
BETWEEN: State = {
    SAME: (0, 0, 0), AWAY: (0, 0, 0), MOVED: (1, 0, 0), CLASS: (0, 0, 0), NAMED: (0, 0, 0),
    TWICE: (1, 0, 0), NEW: (0, 0, 0), OTHERS: (0, 0, 0),
}  # fmt: skip
AFTER: State = {
    SAME: (0, 0, 0), MOVED: (1, 0, 0), CLASS: (0, 1, 0), NAMED: (0, 0, 1), BACK: (5, 5, 5),
    TWICE: (1, 1, 1), NEW: (0, 0, 0), OTHERS: (0, 0, 0),
}  # fmt: skip
THREE = {OLD: BEFORE, FIRST: BETWEEN, SECOND: AFTER}
PLANTED = {
    GONE: Fate.REMOVED,
    AWAY: Fate.REMOVED,
    MOVED: Fate.GEOMETRY,
    CLASS: Fate.CLASS,
    NAMED: Fate.OTHER,
    BACK: Fate.RESTORED,
    TWICE: Fate.GEOMETRY | Fate.CLASS | Fate.OTHER,
}
ROADS = [SAME, GONE, GONE, AWAY, MOVED, CLASS.upper(), NAMED, BACK, TWICE]
