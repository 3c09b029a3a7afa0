"""Bad rows are told with the id of the row, as many as are asked for."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.audit import audit, look_up_ids
from gem_core.audit.options import AuditOptions, IdLimits, OvertureLimits
from gem_core.audit.overture import look_up as look_up_module
from gem_core.audit.overture.listing import Folder, find_release
from gem_core.audit.overture.look_up import look_up
from gem_core.audit.overture.meter import Meter
from gem_core.audit.overture.release import Release
from gem_core.audit.overture.row_ids import ids_of
from gem_core.audit.reading.source import open_file
from gem_core.audit.rows.example import Example
from tests.audit.build import PROMISES, job, write
from tests.audit.overture.look_ups import rows_of
from tests.audit.overture.world import GOOD, RELEASE, Truth, build, output, roads

BAD = (Truth.REMOVED, Truth.NEWER, Truth.OLDER, Truth.INVENTED, Truth.GAP)
PLANTED = roads([*GOOD, *BAD, Truth.ELSEWHERE] * 8)


def test_the_first_rows_of_each_check_are_kept_with_their_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_up_module, "MARKED_ROWS", 2)  # fewer, and of the map alone
    build(tmp_path, PLANTED)
    source = write(tmp_path, output(PLANTED))
    ids = pq.read_table(source.path)["id"].to_pylist()
    options = AuditOptions(overture=OvertureLimits(), failing_rows=7)
    report = audit(source, job(overtureRelease=RELEASE), input_source=None, options=options)
    report = look_up_ids(report, source, find_release(Folder(tmp_path), RELEASE), options)
    for name, truths in (("gers_alive", BAD), ("gers_in_place", (Truth.ELSEWHERE,))):
        (line,) = (each for each in report.checks if each.name == name)
        assert line.judgement.examples == tuple(
            Example(row, str(ids[row]), PLANTED[row].id) for row in rows_of(PLANTED, *truths)[:7]
        )


def test_ids_are_found_across_row_groups_and_batches(tmp_path: Path) -> None:
    path = tmp_path / "roads.parquet"
    table = output(PLANTED)
    pq.write_table(table, path, row_group_size=9)
    ids = table["id"].to_pylist()
    for wanted in ([0], [95], [8, 9, 17, 18, 50], [*range(96)], []):
        found = ids_of(open_file(path), PROMISES, wanted, Meter(OvertureLimits()))
        assert found == {row: str(ids[row]) for row in wanted}


def test_without_ids_that_can_be_read_the_verdict_stands(tmp_path: Path) -> None:
    build(tmp_path, PLANTED)
    release = find_release(Folder(tmp_path), RELEASE)
    assert isinstance(release, Release)
    table = output(PLANTED)
    odd = table.set_column(0, "id", pa.array([1.5] * len(table)))
    for each in (table.drop_columns(["id"]), odd):
        source = write(tmp_path, each)
        found = look_up(source, PROMISES, release, OvertureLimits(), IdLimits(), keep=2)
        (first, second) = found.elsewhere.examples
        assert (first.id, second.id, found.elsewhere.count) == (None, None, 8)
    gone = open_file(source.path)
    source.path.unlink()
    assert ids_of(gone, PROMISES, [1], Meter(OvertureLimits())) == {}
