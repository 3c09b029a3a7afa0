"""A fault in the columns fails the checks that name it; what cannot be judged is not run."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.audit.build import ROWS, audited, input_table, matched_table
from tests.audit.lines import line_of, not_run


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
def test_a_fault_in_the_columns_fails_its_checks_alone(
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
    line = line_of(report, "no_name_clash")
    assert "match_status; the output's column" in line.judgement.detail


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    more = {f"column_{n}": pa.array([n] * ROWS) for n in range(14)}
    report = audited(tmp_path, matched_table(**more))
    line = line_of(report, "no_extra_columns")
    assert line.judgement.detail.endswith("column_9 and 4 more")
    assert line.judgement.offending == 14
