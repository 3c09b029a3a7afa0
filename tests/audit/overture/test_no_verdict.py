"""What is not whole is no verdict of a look-up, and the reason is named."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from devkit.overture import changelog_folder, file_name
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture import listing, search
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.overture.joining import FOUND, ROW, judge
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.meter import Meter, Stopped
from gem_core.audit.overture.release import NoRelease, Part, Release
from gem_core.audit.overture.segments import open_files, segments
from gem_core.audit.reading.source import Source
from tests.audit.build import PROMISES, write
from tests.audit.overture.look_ups import TRUTHS, looked_up
from tests.audit.overture.world import GOOD, RELEASE, Road, build, output, roads


def on_disk(folder: Path, of: list[Road], disk_bytes: int) -> OvertureFacts:
    release = find_release(Folder(folder), RELEASE)
    assert isinstance(release, Release)
    source = write(folder, output(of))
    limits = IdLimits(disk_bytes=disk_bytes)
    return look_up(source, PROMISES, release, OvertureLimits(), limits)


def test_little_disk_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = roads(TRUTHS * 3)
    plenty = looked_up(build(tmp_path, planted, files=30), planted)
    joined: list[int] = []

    def counting(rows: np.ndarray, found: np.ndarray) -> None:
        joined.append(len(found))
        judge(rows, found)

    monkeypatch.setattr(search, "judge", counting)
    little = on_disk(tmp_path, planted, len(planted) * ROW.itemsize + 40 * FOUND.itemsize)
    assert len(joined) > 4  # the steps of the search
    assert replace(plenty, reading="") == replace(little, reading="")


def test_too_little_disk_is_a_reason(tmp_path: Path) -> None:
    planted = roads(TRUTHS)
    build(tmp_path, planted)
    found = on_disk(tmp_path, planted, len(planted) * ROW.itemsize + FOUND.itemsize)
    assert found.how_far.endswith(
        "the ids take more disk than GEM_IDS_DISK_MIB or --ids-disk allows"
    )
    assert (found.open_rows, found.unknown.count) == (len(planted), 0)
    found = on_disk(tmp_path, planted, ROW.itemsize)
    assert found.problem.startswith("the ids take more disk")


class Fault(StrEnum):
    """What is wrong with the storage, and how the reason begins."""

    NO_UNCHANGED = "has no files of change_type=unchanged"
    NO_ADDED = "no files of change_type=added"
    CUT_OFF = "is not readable Parquet"
    NOT_PARQUET = "is not readable Parquet: 9 bytes"
    NO_BOX = "there is no column bbox"
    ODD_IDS = "has not 36 characters"
    GROWS = "files were added, removed or replaced"
    TOO_MUCH = "GEM_OVERTURE_MAX_MIB"
    NO_TIME = "s of CPU time"
    NOBODY = "there is no changelog of release"


def broken(folder: Path, fault: Fault) -> None:
    unchanged = changelog_folder(folder, RELEASE, "unchanged")
    first = unchanged / file_name(0)
    match fault:
        case Fault.NO_UNCHANGED:
            shutil.rmtree(unchanged)
        case Fault.NO_ADDED:
            shutil.rmtree(changelog_folder(folder, RELEASE, "added"))
        case Fault.CUT_OFF:
            first.write_bytes(first.read_bytes()[:-20])
        case Fault.NOT_PARQUET:
            first.write_bytes(b"not found")
        case Fault.NO_BOX:
            pq.write_table(pq.read_table(first, partitioning=None).select(["id"]), first)
        case Fault.ODD_IDS:
            table = pq.read_table(first, partitioning=None)
            short = pa.array([text[:-1] for text in table["id"].to_pylist()])
            pq.write_table(table.set_column(0, "id", short), first)
        case Fault.NOBODY:
            shutil.rmtree(folder / "changelog" / RELEASE)


@pytest.mark.parametrize("fault", Fault)
def test_what_is_not_whole_is_no_verdict(tmp_path: Path, fault: Fault) -> None:
    planted = roads(TRUTHS)
    build(tmp_path, planted)
    broken(tmp_path, fault)
    release = find_release(Folder(tmp_path), RELEASE)
    assert isinstance(release, NoRelease) == (fault in {Fault.NO_UNCHANGED, Fault.NOBODY})
    if isinstance(release, NoRelease):
        assert fault in release.reason
        assert release.may_pass
        return
    if fault is Fault.GROWS:
        shutil.copy(
            changelog_folder(tmp_path, RELEASE, "added") / file_name(0),
            changelog_folder(tmp_path, RELEASE, "added") / file_name(7),
        )
    limits = OvertureLimits()
    if fault is Fault.TOO_MUCH:
        limits = replace(limits, max_bytes=100)
    if fault is Fault.NO_TIME:
        limits = replace(limits, wall_seconds=0)
    source = write(tmp_path, output(planted))
    found = look_up(source, PROMISES, release, limits, IdLimits())
    assert fault in found.problem + found.how_far
    assert found.unknown.count == 0
    assert found.problem or found.open_rows
    if fault is Fault.TOO_MUCH:
        all_of_them = f"{len(planted)} of {len(planted)} ids were not found in 0 of "
        assert found.how_far.startswith(all_of_them)


@pytest.mark.parametrize(
    "name", [None, "", "latest", "2026-02-18", "2026-13-01.0", "2026-02-18.0/.."]
)
def test_only_the_name_of_a_release_becomes_part_of_an_address(name: str | None) -> None:
    class Untouched:
        def files(self, container: str, prefix: str) -> Sequence[Source]:
            raise AssertionError(container + prefix)

        def folders(self, container: str) -> Sequence[str]:
            raise AssertionError(container)

    found = find_release(Untouched(), name)
    assert isinstance(found, NoRelease)
    assert not found.may_pass


def test_fewer_rows_than_the_footer_says_are_no_whole_file(tmp_path: Path) -> None:
    build(tmp_path, roads([*GOOD]))
    release = find_release(Folder(tmp_path), RELEASE)
    assert isinstance(release, Release)
    meter = Meter(OvertureLimits())
    file = open_files(release.of(Part.UNCHANGED), meter)[0]
    promising = replace(file, group_rows=[rows + 1 for rows in file.group_rows])
    with pytest.raises(Stopped, match="where its footer says"):
        list(segments(promising, [0, 1], meter))
    assert len(list(segments(file, [0, 1], meter))) == 1


def test_an_unexpected_error_of_a_listing_is_a_reason_without_its_words() -> None:
    class Odd:
        def files(self, container: str, prefix: str) -> Sequence[Source]:
            raise ValueError(f"{container}/{prefix}?sig=secret")

        def folders(self, container: str) -> Sequence[str]:
            raise AssertionError(container)

    found = find_release(Odd(), RELEASE)
    assert found == NoRelease("Overture's changelog cannot be listed: ValueError", may_pass=True)


def test_more_files_than_a_message_can_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(tmp_path, roads([*GOOD]))
    monkeypatch.setattr(listing, "MAX_FILES", 3)
    found = find_release(Folder(tmp_path), RELEASE)
    assert isinstance(found, NoRelease)
    assert "more than 3 files" in found.reason
