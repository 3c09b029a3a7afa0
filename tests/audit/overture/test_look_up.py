"""Planted truths are found exactly; whatever is not whole is no verdict."""

import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from devkit.overture import changelog_folder, file_name
from gem_core.audit.options import IdLimits, OvertureLimits
from gem_core.audit.overture import look_up as look_up_module
from gem_core.audit.overture import partitions
from gem_core.audit.overture.facts import OvertureFacts
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.release import Release
from gem_core.audit.parquet.opened_file import OpenedFile
from tests.audit.build import PROMISES, write
from tests.audit.overture.look_ups import TRUTHS, looked_up, rows_of
from tests.audit.overture.world import GOOD, RELEASE, Truth, build, output, roads


def test_each_planted_truth_is_found_and_nothing_else(tmp_path: Path) -> None:
    planted = roads(TRUTHS)
    found = looked_up(build(tmp_path, planted), planted)
    counts = Counter(road.truth for road in planted)
    assert not found.problem
    assert not found.how_far
    assert (found.rows, found.ids, found.release) == (len(planted), len(planted), RELEASE)
    assert found.removed.count == counts[Truth.REMOVED]
    assert found.outside.count == counts[Truth.NEWER] + counts[Truth.OLDER]
    assert found.unknown.count == counts[Truth.INVENTED] + counts[Truth.GAP]
    assert found.other_type.count == counts[Truth.CONNECTOR]
    assert found.elsewhere.count == counts[Truth.ELSEWHERE]
    assert found.open_rows == found.without_place == 0
    bad = set(Truth) - {*GOOD}
    assert list(found.marked) == rows_of(planted, *bad)
    (first, second) = found.elsewhere.examples
    assert (first.row, second.row) == tuple(rows_of(planted, Truth.ELSEWHERE))
    assert first.value == planted[first.row or 0].id


def test_every_good_id_stops_the_search_near_the_roads(tmp_path: Path) -> None:
    planted = roads([*GOOD] * 5)
    found = looked_up(build(tmp_path, planted, files=4), planted)
    assert not found.how_far
    assert found.dead + found.elsewhere.count + found.other_type.count == 0
    with_one_more = looked_up(tmp_path, [*planted, *roads([Truth.INVENTED] * 31)[30:]])
    assert bytes_of(found) < bytes_of(with_one_more)


def bytes_of(found: OvertureFacts) -> int:
    return int(found.reading.partition(" ")[0].replace(",", ""))


def test_another_patch_of_the_date_is_read_and_named(tmp_path: Path) -> None:
    planted = roads([*GOOD])
    found = looked_up(build(tmp_path, planted, "2026-02-18.1"), planted, "2026-02-18.0")
    assert found.release == "2026-02-18.1"
    assert (found.rows, found.open_rows, found.how_far) == (len(GOOD), 0, "")


@pytest.mark.parametrize("release", ["2026-01-21.0", "2026-03-18.0"])
def test_single_and_double_precision_are_the_same(tmp_path: Path, release: str) -> None:
    planted = roads([*GOOD, Truth.ELSEWHERE])
    found = looked_up(build(tmp_path, planted, release), planted, release)
    assert found.elsewhere.count == 1
    assert found.dead + found.other_type.count + found.open_rows == 0


def test_without_statistics_everything_is_read_with_the_same_result(tmp_path: Path) -> None:
    planted = roads(TRUTHS)
    found = looked_up(build(tmp_path, planted, statistics=False), planted)
    assert (found.elsewhere.count, found.unknown.count, found.open_rows) == (2, 4, 0)
    assert found.removed.count == 2


def test_without_a_registry_what_is_in_no_part_is_unknown(tmp_path: Path) -> None:
    planted = roads(TRUTHS)
    build(tmp_path, planted)
    shutil.rmtree(tmp_path / "registry")
    found = looked_up(tmp_path, planted)
    assert found.registry_note == "there is no registry"
    unproven = (Truth.INVENTED, Truth.GAP, Truth.CONNECTOR, Truth.NEWER, Truth.OLDER)
    assert found.unknown.count == len(rows_of(planted, *unproven))
    assert found.other_type.count == found.outside.count == 0


def test_many_parts_and_one_part_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = roads(TRUTHS * 3)
    one = looked_up(build(tmp_path, planted), planted)
    monkeypatch.setattr(partitions, "PART_RECORDS", 8)
    in_pieces(monkeypatch)
    many = looked_up(tmp_path, planted)
    assert replace(one, reading="") == replace(many, reading="")


def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be decoded in batches of a few rows."""
    batches = OpenedFile.batches

    def cut(
        self: OpenedFile,
        columns: Sequence[str],
        *,
        as_dictionary: Collection[str] = (),
        groups: Sequence[int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        for batch in batches(self, columns, as_dictionary=as_dictionary, groups=groups):
            yield from (batch[at : at + 7] for at in range(0, batch.num_rows, 7))

    monkeypatch.setattr(OpenedFile, "batches", cut)


def test_the_first_rows_of_each_kind_are_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = roads(TRUTHS * 3)
    monkeypatch.setattr(look_up_module, "MARKED_ROWS", 2)
    found = looked_up(build(tmp_path, planted), planted)
    kinds = [
        [Truth.REMOVED],
        [Truth.NEWER, Truth.OLDER],
        [Truth.CONNECTOR],
        [Truth.ELSEWHERE],
        [Truth.INVENTED, Truth.GAP],
    ]
    assert found.marked == tuple(
        sorted(row for each in kinds for row in rows_of(planted, *each)[:2])
    )


def test_ids_in_the_format_of_other_releases_are_not_looked_up(tmp_path: Path) -> None:
    planted = roads([*GOOD] * 3)
    build(tmp_path, planted)
    digits = [replace(road, id=road.id.replace("-", "")) for road in planted[:2]]
    found = looked_up(tmp_path, [*digits, *planted[2:]])
    assert (found.rows, found.elsewhere.count, found.open_rows) == (16, 0, 0)


def test_stray_columns_and_markers_of_folders_change_nothing(tmp_path: Path) -> None:
    planted = roads(TRUTHS)
    before = looked_up(build(tmp_path, planted), planted)
    folder = changelog_folder(tmp_path, RELEASE, "added")
    (folder.parent / "change_type=added_$folder$").write_bytes(b"")
    table = pq.read_table(folder / file_name(0), partitioning=None)
    stray = table.append_column("theme", pa.array(["transportation"] * len(table)))
    pq.write_table(stray, folder / file_name(0))
    after = looked_up(tmp_path, planted)
    assert replace(before, reading="") == replace(after, reading="")


def test_roads_without_geometry_are_alive_and_have_no_place(tmp_path: Path) -> None:
    planted = roads([*GOOD] * 3)
    build(tmp_path, planted)
    release = find_release(Folder(tmp_path), RELEASE)
    assert isinstance(release, Release)
    source = write(tmp_path, output(planted).drop_columns(["geometry"]))
    found = look_up(source, PROMISES, release, OvertureLimits(), IdLimits())
    assert (found.without_place, found.elsewhere.count, found.open_rows) == (18, 0, 0)


def test_an_id_on_several_roads_is_judged_for_each(tmp_path: Path) -> None:
    near, away = roads([Truth.IN_PLACE, Truth.ELSEWHERE])
    both = [near, replace(away, id=near.id, truth=Truth.IN_PLACE, west=-60.0)]
    build(tmp_path, [near])
    found = looked_up(tmp_path, both)
    assert (found.rows, found.ids, found.elsewhere.count) == (2, 1, 1)
    assert found.elsewhere.examples[0].row == 1
