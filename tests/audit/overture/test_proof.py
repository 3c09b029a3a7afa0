"""No verdict without proof: what is old, odd, foreign or not whole leaves ids open."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from devkit.overture import Segment, changelog_folder, file_name, write_changelog, write_registry
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture.described import describe
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.release import Release
from gem_core.errors import OutputUnreachable
from tests.audit.build import PROMISES, write
from tests.audit.overture.look_ups import TRUTHS, looked_up, rows_of
from tests.audit.overture.world import (
    AFTER,
    BEFORE,
    GOOD,
    RELEASE,
    Truth,
    build,
    output,
    registered,
    roads,
)

PATCH = "2026-02-18.1"
FOLDER = changelog_folder(Path(), RELEASE, "added").parent


def test_a_registry_that_is_older_than_the_release_makes_no_id_dead(tmp_path: Path) -> None:
    planted = roads([each for each in TRUTHS if each not in {Truth.NEWER, Truth.GAP}])
    build(tmp_path, planted)
    write_registry(tmp_path, registered(planted, BEFORE))
    found = looked_up(tmp_path, planted)
    assert (found.outside.count, found.elsewhere.count, found.other_type.count) == (0, 2, 2)
    assert found.unknown.count == len(rows_of(planted, Truth.INVENTED, Truth.OLDER))


@pytest.mark.parametrize("odd", [None, "", "latest", "0", "2025-13-17.0"])
@pytest.mark.parametrize("member", ["first_seen", "last_seen"])
def test_a_date_that_cannot_be_read_is_no_verdict(
    tmp_path: Path, odd: str | None, member: str
) -> None:
    planted = roads([Truth.OLDER, Truth.NEWER, Truth.CONNECTOR, *GOOD])
    build(tmp_path, planted)
    rows = registered(planted, RELEASE)
    if member == "first_seen":
        rows = [replace(row, first_seen=odd) for row in rows]
    else:
        rows = [replace(row, last_seen=odd) for row in rows]
    write_registry(tmp_path, rows)
    found = looked_up(tmp_path, planted)
    assert (found.outside.count, found.other_type.count, found.unknown.count) == (0, 1, 2)


def renamed(folder: Path) -> None:
    (folder / "change_type=added").rename(folder / "change_type=restored")


def moved(folder: Path) -> None:
    first = folder / "change_type=added" / file_name(0)
    first.rename(folder / "part-00000.parquet")


def removed(folder: Path) -> None:
    (folder / "change_type=unchanged" / file_name(0)).unlink()


def emptied(folder: Path) -> None:
    (folder / "change_type=unchanged" / file_name(0)).write_bytes(b"")


def alone(folder: Path) -> None:
    shutil.rmtree(folder.parents[2] / AFTER)


def cut_later(folder: Path) -> None:
    (changelog_folder(folder.parents[3], AFTER, "unchanged") / file_name(0)).unlink()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (renamed, "it has files of change_type=restored, which are not read"),
        (moved, "it has files without a change_type"),
        (removed, f"changelog {AFTER} counts 98 segments before it, these files have 51"),
        (emptied, "is not readable Parquet: the file has 0 bytes"),
        (alone, f"there is no changelog after {RELEASE}"),
        (cut_later, "these files have"),
    ],
)
def test_what_may_not_be_whole_makes_no_id_unknown(
    tmp_path: Path, fault: Callable[[Path], None], reason: str
) -> None:
    planted = roads([*GOOD, *[Truth.IN_PLACE] * 30, Truth.INVENTED, Truth.REMOVED])
    build(tmp_path, planted)
    fault(tmp_path / FOLDER)
    found = looked_up(tmp_path, planted)
    assert found.unknown.count == 0
    assert found.open_rows >= 1
    assert reason in found.how_far
    assert fault is emptied or "files that were listed" in found.how_far
    assert fault is emptied or found.removed.count == 1  # which a hit proves


def test_a_release_that_lacks_a_part_is_whole_when_the_next_one_says_so(tmp_path: Path) -> None:
    planted = roads([Truth.IN_PLACE, Truth.INVENTED])
    segment = Segment(planted[0].id, planted[0].box)
    write_changelog(tmp_path, RELEASE, {"unchanged": [segment]})
    write_changelog(tmp_path, AFTER, {"unchanged": [], "removed": [segment]})
    found = looked_up(tmp_path, planted)
    assert not found.how_far
    assert found.unknown.count == 1


def test_of_another_patch_only_what_is_alive_and_in_place_holds(tmp_path: Path) -> None:
    planted = roads([*Truth])
    build(tmp_path, planted, PATCH)
    found = looked_up(tmp_path, planted, RELEASE)
    assert found.release == PATCH
    assert found.dead + found.elsewhere.count == 0
    open_ = {*Truth} - {*GOOD, Truth.CONNECTOR}
    assert found.open_rows == len(open_)
    assert found.how_far == (
        f"there is no changelog of {RELEASE}: only ids that are in place in {PATCH} are proven"
    )
    assert list(found.marked) == rows_of(planted, Truth.CONNECTOR)
    good = looked_up(tmp_path, roads([*GOOD]), RELEASE)
    assert (good.how_far, good.open_rows, good.rows) == ("", 0, len(GOOD))


def test_the_doctor_says_what_it_does_not_know(tmp_path: Path) -> None:
    build(tmp_path, roads([*Truth]))
    assert not [line for line in describe(Folder(tmp_path), RELEASE) if "may not be all" in line]
    renamed(tmp_path / FOLDER)
    told = describe(Folder(tmp_path), RELEASE)[-1]
    assert told.endswith("it has files of change_type=restored, which are not read")


def test_a_next_changelog_that_cannot_be_listed_costs_only_the_proof(tmp_path: Path) -> None:
    class Refusing(Folder):
        def folders(self, container: str) -> Sequence[str]:
            raise OutputUnreachable(f"{container}: 403")

    planted = roads([Truth.IN_PLACE, Truth.INVENTED])
    release = find_release(Refusing(build(tmp_path, planted)), RELEASE)
    assert isinstance(release, Release)
    source = write(tmp_path, output(planted))
    found = look_up(source, PROMISES, release, OvertureLimits(), IdLimits())
    assert (found.open_rows, found.unknown.count) == (1, 0)
    assert found.how_far.endswith("the changelog after it cannot be listed: changelog: 403")
