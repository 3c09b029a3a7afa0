"""Each fault fails the checks that name it, and no others."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.reading.source import open_file
from gem_core.audit.rows.example import Example
from tests.audit.build import (
    MATCHED_ROWS,
    ROWS,
    audited,
    changed,
    gers,
    input_table,
    job,
    matched_table,
    write_bytes,
)

NOT_ASKED = {
    "gers_alive",
    "gers_type",
    "gers_in_place",
    "input_as_registered",
    "input_values_kept",
    "input_rows_paired",
    "linear_reference_values",
    "linear_reference_order",
}
"""Not run in these tests: no input was expected, nor values to be compared; the layout of the page
has no linear references."""


def not_run(report: Report) -> set[str]:
    found = {line.name for line in report.checks if line.verdict is Verdict.NOT_RUN}
    return found - NOT_ASKED


def test_a_good_output_passes_every_check(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table())
    assert report.outcome == "valid"
    assert {line.name for line in report.checks if line.verdict is Verdict.PASSED} == {
        check.name for check in CHECKS
    } - NOT_ASKED


def text(kind: pa.DataType) -> pa.Table:
    table = matched_table()
    for name in ("gers_id", "match_status", "geometry"):
        index = table.schema.get_field_index(name)
        table = table.set_column(index, name, table.column(name).cast(kind))
    return table


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(text(pa.large_string()), id="large-text"),
        pytest.param(text(pa.dictionary(pa.int32(), pa.string())), id="dictionary"),
        pytest.param(text(pa.string_view()), id="text-view"),
        pytest.param(
            matched_table(
                match_confidence=matched_table().column("match_confidence").cast(pa.float32())
            ),
            id="single-precision",
        ),
        pytest.param(
            changed(matched_table(), "match_confidence", r10=0.0, r11=1.0),
            id="confidence-on-unmatched",
        ),
        pytest.param(
            changed(matched_table(), "match_confidence", r0=0.6, r1=1.0), id="confidence-at-bounds"
        ),
    ],
)
def test_what_the_page_leaves_open_is_accepted(tmp_path: Path, table: pa.Table) -> None:
    report = audited(tmp_path, table)
    assert not report.failed()
    assert not not_run(report)


def with_row(column: str, **by_row: object) -> pa.Table:
    return changed(matched_table(), column, **by_row)


ROW_FAULTS = {
    "status-null": (with_row("match_status", r11=None), {"status_present"}),
    "status-case": (with_row("match_status", r11="Unmatched"), {"status_values"}),
    "status-space": (with_row("match_status", r11="unmatched "), {"status_values"}),
    "status-empty": (with_row("match_status", r11=""), {"status_values"}),
    "gers-missing": (with_row("gers_id", r0=None), {"gers_id_on_matched"}),
    "gers-on-unmatched": (with_row("gers_id", r11=gers(99)), {"no_gers_id_on_unmatched"}),
    "gers-empty-on-unmatched": (with_row("gers_id", r11=""), {"unmatched_gers_id_null"}),
    "gers-blank-on-unmatched": (with_row("gers_id", r11="  "), {"gers_id_not_blank"}),
    "gers-empty": (with_row("gers_id", r0=""), {"gers_id_not_blank"}),
    "gers-blank": (with_row("gers_id", r0=" \t"), {"gers_id_not_blank"}),
    "gers-line-feed": (with_row("gers_id", r0=gers(0) + "\n"), {"gers_id_format"}),
    "gers-space": (with_row("gers_id", r0=" " + gers(0)), {"gers_id_format"}),
    "gers-braces": (with_row("gers_id", r0="{" + gers(0) + "}"), {"gers_id_format"}),
    "gers-no-hex": (with_row("gers_id", r0="g" + gers(0)[1:]), {"gers_id_format"}),
    "gers-31-digits": (with_row("gers_id", r0=gers(0).replace("-", "")[1:]), {"gers_id_format"}),
    "gers-of-old": (
        with_row("gers_id", r0=gers(0).replace("-", "")),
        {"gers_id_format_of_release"},
    ),
    "gers-capitals": (with_row("gers_id", r0=gers(0).upper()), {"gers_id_lower_case"}),
    "gers-glossary": (with_row("gers_id", r0="R_78212"), {"gers_id_format"}),
    "confidence-nan": (with_row("match_confidence", r0=float("nan")), {"confidence_finite"}),
    "confidence-inf": (with_row("match_confidence", r0=float("inf")), {"confidence_finite"}),
    "confidence-nan-unmatched": (
        with_row("match_confidence", r11=float("nan")),
        {"confidence_finite"},
    ),
    "confidence-percent": (with_row("match_confidence", r0=84.0), {"confidence_range"}),
    "confidence-negative": (with_row("match_confidence", r0=-1e-9), {"confidence_range"}),
    "confidence-missing": (with_row("match_confidence", r0=None), {"confidence_on_matched"}),
    "confidence-low": (with_row("match_confidence", r0=0.5999), {"confidence_threshold"}),
    "id-null": (with_row("id", r11=None), {"id_present", "input_ids_kept"}),
    "id-other": (with_row("id", r11=7), {"input_ids_kept", "no_extra_ids"}),
}


@pytest.mark.parametrize(("table", "checks"), ROW_FAULTS.values(), ids=ROW_FAULTS)
def test_a_fault_in_a_row(tmp_path: Path, table: pa.Table, checks: set[str]) -> None:
    """A row that is no longer counted also moves the shares; those checks are tried below."""
    report = audited(tmp_path, table, of=job(dict.fromkeys(SHARES)))
    id_checks = {"road_count"} if "id_present" in checks else set()
    assert report.failed() - id_checks == checks | {WITHOUT_SHARES}
    [line] = [line for line in report.checks if line.name in checks - {"input_ids_kept"}][:1]
    assert line.judgement.offending == 1


WITHOUT_SHARES = "statistics_readable"
"""Fails in tests that leave the shares out."""
SHARES = (
    "roads_matched",
    "roads_unmatched",
    "roads_fully_matched",
    "roads_partially_matched",
)


def test_offenders_are_counted_and_the_first_few_shown(tmp_path: Path) -> None:
    table = matched_table(match_confidence=pa.array([2.0] * 7 + [0.8, 0.9] + [None] * 3))
    [line] = [line for line in audited(tmp_path, table).checks if line.name == "confidence_range"]
    assert line.judgement.offending == 7
    assert line.judgement.examples == tuple(Example(n, str(100 + n), "2.0") for n in range(5))


def renamed(table: pa.Table, **names: str) -> pa.Table:
    return table.rename_columns([names.get(name, name) for name in table.column_names])


GERS_CHECKS = {
    "gers_id_on_matched",
    "no_gers_id_on_unmatched",
    "unmatched_gers_id_null",
    "gers_id_not_blank",
    "gers_id_format",
    "gers_id_format_of_release",
    "gers_id_lower_case",
    "gers_ids_vary",
}
CONFIDENCE_CHECKS = {
    "confidence_finite",
    "confidence_range",
    "confidence_on_matched",
    "confidence_threshold",
    "confidences_vary",
}
STATUS_CHECKS = {
    "status_present",
    "status_values",
    "gers_id_on_matched",
    "no_gers_id_on_unmatched",
    "unmatched_gers_id_null",
    "gers_id_not_blank",
    "gers_ids_vary",
    "confidence_on_matched",
    "confidence_threshold",
    "confidences_vary",
    "matched_share_close",
    "matched_share_exact",
    "unmatched_share_close",
    "unmatched_share_exact",
    "some_matched",
}
ID_CHECKS = {"id_present", "input_ids_kept", "no_extra_ids", "ids_unique"}

COLUMN_FAULTS = {
    "gers-absent": (matched_table(gers_id=None), {"gers_id_column"}, GERS_CHECKS),
    "gers-other-case": (
        renamed(matched_table(), gers_id="GERS_ID"),
        {"gers_id_column", "no_extra_columns"},
        GERS_CHECKS,
    ),
    "gers-binary": (
        matched_table(gers_id=pa.array([b"x" * 16] * ROWS)),
        {"gers_id_column"},
        GERS_CHECKS,
    ),
    "gers-nested": (
        matched_table(gers_id=pa.array([{"id": "x"}] * ROWS)),
        {"gers_id_column"},
        GERS_CHECKS,
    ),
    "gers-twice": (
        matched_table().append_column("gers_id", matched_table().column("gers_id")),
        {"gers_id_column"},
        GERS_CHECKS,
    ),
    "confidence-integer": (
        matched_table(match_confidence=pa.array([84] * ROWS)),
        {"confidence_column"},
        CONFIDENCE_CHECKS,
    ),
    "confidence-absent": (
        matched_table(match_confidence=None),
        {"confidence_column"},
        CONFIDENCE_CHECKS,
    ),
    "status-absent": (
        matched_table(match_status=None),
        {"status_column"},
        STATUS_CHECKS,
    ),
    "status-boolean": (
        matched_table(match_status=pa.array([True] * ROWS)),
        {"status_column"},
        STATUS_CHECKS,
    ),
    "id-absent": (
        matched_table(id=None),
        {"id_column", "input_columns_kept"},
        ID_CHECKS,
    ),
    "id-float": (
        matched_table(id=pa.array([float(n) for n in range(ROWS)])),
        {"id_column", "input_types_kept"},
        ID_CHECKS,
    ),
    "input-column-lost": (matched_table(is_navigable=None), {"input_columns_kept"}, set()),
    "input-column-retyped": (
        matched_table(is_navigable=pa.array([1] * ROWS)),
        {"input_types_kept"},
        set(),
    ),
    "input-columns-moved": (
        matched_table().select(
            ["geometry", "id", "is_navigable", "gers_id", "match_confidence", "match_status"]
        ),
        {"input_order_kept"},
        set(),
    ),
    "extra-column": (matched_table(note=pa.array(["x"] * ROWS)), {"no_extra_columns"}, set()),
    "geometry-twice": (
        matched_table().append_column("geometry", matched_table().column("geometry")),
        {"column_names_unique", "no_extra_columns"},
        set(),
    ),
    "id-as-text": (
        matched_table(id=pa.array([str(100 + n) for n in range(ROWS)])),
        {"input_types_kept"},
        set(),
    ),
}


@pytest.mark.parametrize(("table", "failed", "unknown"), COLUMN_FAULTS.values(), ids=COLUMN_FAULTS)
def test_a_fault_in_the_columns(
    tmp_path: Path, table: pa.Table, failed: set[str], unknown: set[str]
) -> None:
    """What cannot be judged for it is not run; everything else still is."""
    report = audited(tmp_path, table)
    assert report.failed() == failed
    assert not_run(report) == unknown


def test_an_input_with_a_promised_column_is_pointed_at(tmp_path: Path) -> None:
    input_ = input_table(match_status=pa.array(["old"] * ROWS))
    report = audited(tmp_path, matched_table(), input_=input_)
    assert report.failed() == {"no_name_clash"}
    assert report.outcome == "valid_with_warnings"
    [line] = [line for line in report.checks if line.name == "no_name_clash"]
    assert "match_status; the output's column" in line.judgement.detail


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    more = {f"column_{n}": pa.array([n] * ROWS) for n in range(14)}
    report = audited(tmp_path, matched_table(**more))
    [line] = [line for line in report.checks if line.name == "no_extra_columns"]
    assert line.judgement.detail.endswith("column_9 and 4 more")
    assert line.judgement.offending == 14


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
    [line] = [line for line in report.checks if line.name == "gers_id_format"]
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
def test_a_file_without_rows(tmp_path: Path, groups: int) -> None:
    nothing = matched_table().schema.empty_table()
    with pq.ParquetWriter(tmp_path / "roads_matched.parquet", nothing.schema) as writer:
        for _ in range(groups):
            writer.write_table(nothing)
    report = audited(tmp_path, open_file(tmp_path / "roads_matched.parquet"))
    assert report_to_json(report)["output"]["rowGroups"] == groups
    assert report.failed() == {"has_rows", "input_ids_kept", "road_count"}
    assert {"matched_share_close", "some_matched", "confidences_vary"} <= not_run(report)


SANITY = {
    "no-row-matched": (matched_table(matched=0), {"some_matched"}),
    "one-confidence": (
        matched_table(match_confidence=pa.array([0.8] * MATCHED_ROWS + [None] * 3)),
        {"confidences_vary"},
    ),
    "one-gers-id": (
        matched_table(gers_id=pa.array([gers(1)] * MATCHED_ROWS + [None] * 3)),
        {"gers_ids_vary"},
    ),
}


@pytest.mark.parametrize(("table", "failed"), SANITY.values(), ids=SANITY)
def test_sanity(tmp_path: Path, table: pa.Table, failed: set[str]) -> None:
    report = audited(tmp_path, table, of=job(dict.fromkeys(SHARES)))
    assert report.failed() == failed | {WITHOUT_SHARES}
    assert report.outcome == "valid_with_warnings"


def test_one_matched_row_proves_no_sameness(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table(matched=1), of=job(dict.fromkeys(SHARES)))
    assert report.failed() == {WITHOUT_SHARES}
    assert {"confidences_vary", "gers_ids_vary"} <= not_run(report)


def test_repeated_ids_are_counted_and_fail_no_other_check(tmp_path: Path) -> None:
    """A road that was matched in parts may have several rows."""
    table = pa.concat_tables([matched_table(), matched_table().slice(0, 3)])
    report = audited(tmp_path, table)
    assert report.failed() == {"ids_unique"}
    assert report.outcome == "valid"
    [line] = [line for line in report.checks if line.name == "ids_unique"]
    assert (line.severity, line.judgement.offending) == (Severity.INFO, 3)


def test_missing_and_invented_ids_are_shown(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table(id=pa.array([*range(100, 110), 7, 8])))
    found = {line.name: line.judgement for line in report.checks}
    assert found["input_ids_kept"].examples == (Example(id="110"), Example(id="111"))
    assert found["no_extra_ids"].examples == (Example(id="7"), Example(id="8"))
