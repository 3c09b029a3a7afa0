"""A file that is no Parquet, or has no rows: the check that names this fails, no other one."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.reading.source import open_file
from tests.audit.build import audited, matched_table, write_bytes
from tests.audit.lines import NOT_ASKED, line_of, not_run

NO_FILE = (
    {check.name for check in CHECKS}
    - NOT_ASKED
    - {
        "names_usable",
        "auditable",
        "exists",
        "named_by_job",
        "name_pattern",
        "unchanged_while_read",
        "matched_parts_sum",
        "shares_sum",
        "statistics_readable",
    }
)
"""Checks that need more than the names and the job's own figures."""

FILES: Mapping[str, tuple[Callable[[bytes], bytes], str, set[str]]] = {
    "empty": (lambda _: b"", "not_empty", set()),
    "csv": (lambda _: b"id,gers_id\n" * 9, "magic_bytes", {"not_empty"}),
    "truncated": (lambda data: data[:-9], "magic_bytes", {"not_empty"}),
    "encrypted": (
        lambda data: b"PARE" + data[4:-4] + b"PARE",
        "footer_not_encrypted",
        {"not_empty", "magic_bytes"},
    ),
    "footer": (
        lambda data: data[: -8 - int.from_bytes(data[-8:-4], "little")] + b"\xff" * 99 + data[-8:],
        "footer_readable",
        {"not_empty", "magic_bytes", "footer_not_encrypted"},
    ),
}


@pytest.mark.parametrize(("spoil", "failed", "passed"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_parquet(
    tmp_path: Path, spoil: Callable[[bytes], bytes], failed: str, passed: set[str]
) -> None:
    good = audited(tmp_path, matched_table())
    assert good.outcome == "valid"
    data = (tmp_path / "roads_matched.parquet").read_bytes()
    report = audited(tmp_path, write_bytes(tmp_path, spoil(data)))
    # Nobody here has the key, which says nothing about the file.
    assert report.outcome == ("not_audited" if failed == "footer_not_encrypted" else "invalid")
    assert report.failed() == {failed}
    assert not_run(report) == NO_FILE - {failed} - passed


def test_data_that_cannot_be_decoded(tmp_path: Path) -> None:
    audited(tmp_path, matched_table())
    data = bytearray((tmp_path / "roads_matched.parquet").read_bytes())
    data[4:40] = bytes(36)
    report = audited(tmp_path, write_bytes(tmp_path, bytes(data)))
    assert report.failed() == {"rows_readable"}
    assert {"gers_id_format", "ids_unique", "road_count", "some_matched"} <= not_run(report)
    line = line_of(report, "gers_id_format")
    assert line.judgement.detail == "the rows could not be read to the end"


def test_a_file_without_any_judged_column(tmp_path: Path) -> None:
    report = audited(tmp_path, pa.table({"x": [1]}))
    assert report.outcome == "not_audited"
    assert report.failed() == {"layout_known"}
    assert {
        "gers_id_column",
        "input_columns_kept",
        "rows_readable",
        "gers_id_format",
        "ids_unique",
        "matched_share_close",
    } <= not_run(report)


@pytest.mark.parametrize("groups", [0, 1])
def test_a_file_without_rows_fails_has_rows(tmp_path: Path, groups: int) -> None:
    """Of no row groups too, as Spark's `_common_metadata`."""
    nothing = matched_table().schema.empty_table()
    with pq.ParquetWriter(tmp_path / "roads_matched.parquet", nothing.schema) as writer:
        for _ in range(groups):
            writer.write_table(nothing)
    report = audited(tmp_path, open_file(tmp_path / "roads_matched.parquet"))
    assert report_to_json(report)["output"]["rowGroups"] == groups
    assert report.failed() == {"has_rows", "input_ids_kept", "road_count"}
    assert {"matched_share_close", "some_matched", "confidences_vary"} <= not_run(report)
