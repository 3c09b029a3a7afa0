"""Advice: planted truths, releases at random, and everything that is not a verdict."""

import shutil
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from devkit.overture import Segment, changelog_folder, write_changelog
from gem_core.advice.fold import OUTDATED, Fate
from gem_core.advice.result import State as Known
from tests.advice.three_releases import (
    AFTER,
    AWAY,
    BEFORE,
    BETWEEN,
    CLASS,
    MOVED,
    NAMED,
    NEW,
    PLANTED,
    ROADS,
    SAME,
    THREE,
    TWICE,
)
from tests.advice.world import (
    BOX,
    FIRST,
    OLD,
    SECOND,
    State,
    advised,
    fate_of,
    figures,
    output,
    publish,
)
from tests.audit.overture.world import gers


def test_each_planted_truth_is_found_and_nothing_else(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    (advice,), ids = advised(tmp_path, [output(tmp_path, ROADS, OLD)])
    assert advice.state is Known.OUTDATED
    assert ids.of(0) == PLANTED
    assert figures(advice) == {
        "removed": (2, 3), "restored": (1, 1), "geometryChanged": (2, 2), "classChanged": (2, 2),
        "otherChange": (2, 2),
    }  # fmt: skip
    assert advice.figures
    assert (advice.figures.total.ids, advice.figures.total.roads) == (8, 9)
    assert (advice.figures.outdated.ids, advice.figures.outdated.roads) == (6, 7)


def test_only_what_came_after_an_outputs_release_counts(tmp_path: Path) -> None:
    """One reading for outputs of different releases."""
    publish(tmp_path, THREE)
    outputs = [
        output(tmp_path, ROADS, OLD, "old.parquet"),
        output(tmp_path, [SAME, AWAY, MOVED, CLASS, NAMED, TWICE], FIRST, "first.parquet"),
        output(tmp_path, [SAME, NAMED, NEW], FIRST, "good.parquet"),
        output(tmp_path, ROADS, SECOND, "second.parquet"),
        output(tmp_path, ROADS, "2026-06-17.0", "later.parquet"),
    ]
    advice, ids = advised(tmp_path, outputs)
    assert [each.state for each in advice] == [
        Known.OUTDATED, Known.OUTDATED, Known.CURRENT, Known.NOT_OLDER, Known.NOT_OLDER,
    ]  # fmt: skip
    assert ids.of(0) == PLANTED
    assert ids.of(1) == {
        AWAY: Fate.REMOVED, CLASS: Fate.CLASS, NAMED: Fate.OTHER, TWICE: Fate.CLASS | Fate.OTHER
    }  # fmt: skip
    assert ids.of(2) == {NAMED: Fate.OTHER}


def test_names_alone_outdate_nothing() -> None:
    assert {*Fate} - {fate for fate in Fate if fate & OUTDATED} == {Fate.OTHER}


def at_random(random: Random) -> dict[str, State]:
    """Six releases, in which ids come, go, come back and change."""
    everyone = [gers(1000 + n) for n in range(60)]
    state: dict[str, tuple[int, int, int]] = dict.fromkeys(everyone[:50], (0, 0, 0))
    releases: dict[str, State] = {}
    for month in range(4, 10):
        releases[f"2026-{month:02}-15.{random.randrange(3)}"] = dict(state)
        for id_ in everyone:
            if id_ not in state and random.random() < 0.3:
                state[id_] = (random.randrange(3), 0, 0)
            elif id_ in state and random.random() < 0.1:
                del state[id_]
            elif id_ in state and random.random() < 0.1:
                one, two, three = state[id_]
                state[id_] = random.choice(
                    [(one + 1, two, three), (one, two + 1, three + 1), (one, two, three + 1)]
                )
    return releases


@pytest.mark.parametrize("seed", range(8))
def test_any_releases_have_the_advice_of_each_release_as_a_whole(tmp_path: Path, seed: int) -> None:
    """Against each release as a whole."""
    random = Random(seed)
    releases = at_random(random)
    names = [*releases]
    publish(tmp_path, releases)
    outputs = [
        output(tmp_path, random.choices([*releases[name]], k=40), name, f"{name}.parquet")
        for name in names[:-1]
    ]
    advice, ids = advised(tmp_path, outputs, names[-1])
    for number, each in enumerate(outputs):
        states = [releases[name] for name in names[number:]]
        roads = pq.read_table(tmp_path / each.name)["gers_id"].to_pylist()
        fates = {id_: fate for id_ in {*roads} if (fate := fate_of(id_, states))}
        assert ids.of(number) == fates
        is_outdated = any(fate & OUTDATED for fate in fates.values())
        assert advice[number].state is (Known.OUTDATED if is_outdated else Known.CURRENT)
        for id_, fate in fates.items():
            assert ids.found[number, id_] == (roads.count(id_), fate)


def test_an_older_changelog_does_not_say_what_changed(tmp_path: Path) -> None:
    older = "2026-01-21.0"
    publish(tmp_path, {"2025-12-17.0": BEFORE, older: BETWEEN})
    (advice,), ids = advised(tmp_path, [output(tmp_path, [SAME, MOVED], "2025-12-17.0")], older)
    assert ids.of(0) == {MOVED: Fate.UNKNOWN}
    assert advice.state is Known.OUTDATED


def test_a_change_without_a_named_column_is_unknown(tmp_path: Path) -> None:
    publish(tmp_path, {OLD: BEFORE, FIRST: BEFORE})
    shutil.rmtree(changelog_folder(tmp_path, FIRST, "unchanged"))
    shutil.rmtree(changelog_folder(tmp_path, FIRST, "data_changed"))
    rest = [Segment(id_, BOX) for id_ in BEFORE if id_ not in {SAME, MOVED}]
    changed = [Segment(SAME, BOX, ()), Segment(MOVED, BOX, ("subtype", "geometry"))]
    write_changelog(tmp_path, FIRST, {"unchanged": rest, "data_changed": changed})
    _, ids = advised(tmp_path, [output(tmp_path, [SAME, MOVED], OLD)], FIRST)
    assert ids.of(0) == {SAME: Fate.UNKNOWN, MOVED: Fate.GEOMETRY | Fate.OTHER}


PATCHED = "2026-04-22.1"


@pytest.mark.parametrize("is_against_the_patched", [True, False])
def test_a_patch_between_two_releases_is_followed_where_a_changelog_leads(
    tmp_path: Path, *, is_against_the_patched: bool
) -> None:
    """It may be against the release that it replaces, or against the one before that."""
    patch = {**BETWEEN, gers(77): (0, 0, 0)}
    against = {PATCHED: FIRST if is_against_the_patched else OLD}
    publish(tmp_path, {OLD: BEFORE, FIRST: BETWEEN, PATCHED: patch, SECOND: AFTER}, against=against)
    outputs = [output(tmp_path, ROADS, name, f"{name}.parquet") for name in (OLD, FIRST, PATCHED)]
    advice, ids = advised(tmp_path, outputs)
    assert ids.of(0) == PLANTED
    assert advice[2].state is Known.OUTDATED
    if is_against_the_patched:
        assert advice[1].state is Known.OUTDATED
    else:
        assert advice[1].reason == f"no changelog leads from release {FIRST} to {SECOND}"


def test_the_patch_of_an_output_may_have_no_changelog(tmp_path: Path) -> None:
    publish(tmp_path, THREE)
    (advice,), ids = advised(tmp_path, [output(tmp_path, ROADS, "2026-03-18.1")])
    assert (advice.read_as, advice.state) == (OLD, Known.OUTDATED)
    assert ids.of(0) == PLANTED


def test_ids_of_another_format_end_the_chain(tmp_path: Path) -> None:
    write_changelog(tmp_path, "2025-05-21.0", {"unchanged": [], "added": []})
    publish(tmp_path, {"2025-07-23.0": {}, "2025-08-20.0": {SAME: (0, 0, 0)}})
    (advice,), _ = advised(tmp_path, [output(tmp_path, [SAME], "2025-05-21.0")], "2025-08-20.0")
    assert advice.reason == (
        "the changelog of 2025-05-21.0 cannot be used: its ids have another format than those of "
        "2025-08-20.0"
    )


def test_changelogs_before_a_gap_are_not_read_at_all(tmp_path: Path) -> None:
    """One output of long ago must not use up what the others need."""
    write_changelog(tmp_path, "2025-04-23.0", {"unchanged": [], "added": []})
    write_changelog(tmp_path, "2025-05-21.0", {"unchanged": [], "added": []})
    publish(tmp_path, THREE)
    ancient = output(tmp_path, [SAME], "2025-04-23.0", "ancient.parquet")
    steps: list[str] = []
    (_, advice), ids = advised(
        tmp_path, [ancient, output(tmp_path, ROADS, OLD)], on_step=steps.append
    )
    assert advice.state is Known.OUTDATED
    assert ids.of(1) == PLANTED
    assert not [step for step in steps if "2025" in step]
