"""Releases of Overture as whole states; their changelogs are worked out from them, slowly."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from devkit.overture import Segment, write_changelog
from gem_core.advice.advise import Means, Output, advise
from gem_core.advice.fold import Fate, Folded
from gem_core.advice.result import NAMES, Advice
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.keys import Keys, texts_of
from gem_core.audit.overture.listing import Folder
from gem_core.audit.overture.release import Part
from gem_core.audit.reading.source import open_file
from gem_core.audit.rows.gers import GersFormat
from tests.audit.build import matched_table, write

COLUMNS = ("geometry", "class", "names")
type State = Mapping[str, tuple[int, int, int]]
"""By id, versions of a segment's columns."""
BOX = (4.0, 4.01, 52.0, 52.01)

OLD, FIRST, SECOND = "2026-03-18.0", "2026-04-22.0", "2026-05-20.0"
"""Three releases, one after the other, whose changelogs say which columns changed."""


def changelog(before: State, after: State) -> dict[str, list[Segment]]:
    """As Overture makes it: a full outer join of two releases."""
    parts: dict[str, list[Segment]] = {part: [] for part in Part if part is not Part.REGISTRY}
    for id_ in sorted({*before, *after}):
        columns = tuple(
            name
            for name, old, new in zip(
                COLUMNS, before.get(id_, ()), after.get(id_, ()), strict=False
            )
            if old != new
        )
        if id_ not in before:
            part = Part.ADDED
        elif id_ not in after:
            part = Part.REMOVED
        else:
            part = Part.CHANGED if columns else Part.UNCHANGED
        parts[part].append(Segment(id_, BOX, columns))
    return parts


def publish(
    root: Path,
    releases: Mapping[str, State],
    *,
    against: Mapping[str, str] | None = None,
    group_rows: int = 4,
) -> Path:
    """Write the changelog of each release, against the one before in this order.

    `against` names another one for some releases.
    """
    names = [*releases]
    for number, name in enumerate(names):
        before = (against or {}).get(name) or (names[number - 1] if number else None)
        state: State = releases[before] if before else {}
        write_changelog(root, name, changelog(state, releases[name]), group_rows=group_rows)
    return root


def fate_of(id_: str, states: Sequence[State]) -> Fate:
    """What became of an id from the first state to the last one, worked out one by one."""
    if id_ not in states[-1]:
        return Fate.REMOVED if id_ in states[0] else Fate(0)
    found, was_away = Fate(0), False
    for before, after in pairwise(states):
        was_away |= id_ in before and id_ not in after
        if id_ in before and id_ in after:
            for fate, old, new in zip(
                (Fate.GEOMETRY, Fate.CLASS, Fate.OTHER), before[id_], after[id_], strict=True
            ):
                if old != new:
                    found |= fate
    return found | (Fate.RESTORED if was_away else Fate(0))


def output(root: Path, ids: Sequence[str], release: str, name: str = "out.parquet") -> Output:
    """An output whose roads have these ids."""
    path = root / name
    write(root, matched_table(len(ids), len(ids), gers_id=pa.array(ids, pa.string())), name)
    return Output(name, release, lambda: open_file(path))


class Ids:
    """What became of ids, as it is handed over."""

    def __init__(self) -> None:
        self.found: dict[tuple[int, str], tuple[int, Fate]] = {}
        """Roads and fate, by output and id."""

    def take(self, folded: Folded) -> None:
        texts = texts_of(Keys(folded.mixed, folded.low), GersFormat.UUID)
        for at, id_ in enumerate(texts.to_pylist()):
            key = int(folded.output[at]), id_
            assert key not in self.found
            self.found[key] = int(folded.roads[at]), Fate(int(folded.fate[at]))

    def of(self, output: int) -> dict[str, Fate]:
        return {id_: fate for (each, id_), (_, fate) in self.found.items() if each == output}


def advised(
    root: Path,
    outputs: Sequence[Output],
    newest: str = SECOND,
    *,
    limits: OvertureLimits | None = None,
    on_step: Callable[[str], object] = lambda _: None,
) -> tuple[tuple[Advice, ...], Ids]:
    """Advice by the changelogs in a folder, and what became of each id."""
    ids = Ids()
    means = Means(limits or OvertureLimits(), IdLimits(), on_step, ids.take)
    return advise(outputs, newest, Folder(root), means), ids


def figures(advice: Advice) -> dict[str, tuple[int, int]]:
    """Ids and roads by the name of the fate, without those that are zero."""
    assert advice.figures
    counts = {name: advice.figures.by_fate[fate] for fate, name in NAMES.items()}
    return {name: (each.ids, each.roads) for name, each in counts.items() if each.ids}
