"""Each fault in a row fails the checks that name it, and no others."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.judging.check import Severity
from gem_core.audit.rows.example import Example
from tests.audit.build import MATCHED_ROWS, NO_SHARES, audited, changed, gers, job, matched_table
from tests.audit.lines import line_of, not_run


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
def test_a_fault_in_a_row_fails_its_checks_alone(
    tmp_path: Path, table: pa.Table, checks: set[str]
) -> None:
    """A row that is no longer counted also moves the shares; those checks are tried below."""
    report = audited(tmp_path, table, of=job(NO_SHARES))
    id_checks = {"road_count"} if "id_present" in checks else set()
    assert report.failed() - id_checks == checks | {"statistics_readable"}
    [line] = [line for line in report.checks if line.name in checks - {"input_ids_kept"}][:1]
    assert line.judgement.offending == 1


def test_offenders_are_counted_and_the_first_few_shown(tmp_path: Path) -> None:
    table = matched_table(match_confidence=pa.array([2.0] * 7 + [0.8, 0.9] + [None] * 3))
    line = line_of(audited(tmp_path, table), "confidence_range")
    assert line.judgement.offending == 7
    assert line.judgement.examples == tuple(Example(n, str(100 + n), "2.0") for n in range(5))


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
def test_an_output_without_any_variation_is_a_warning(
    tmp_path: Path, table: pa.Table, failed: set[str]
) -> None:
    report = audited(tmp_path, table, of=job(NO_SHARES))
    assert report.failed() == failed | {"statistics_readable"}
    assert report.outcome == "valid_with_warnings"


def test_one_matched_row_proves_no_sameness(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table(matched=1), of=job(NO_SHARES))
    assert report.failed() == {"statistics_readable"}
    assert {"confidences_vary", "gers_ids_vary"} <= not_run(report)


def test_repeated_ids_are_counted_and_fail_no_other_check(tmp_path: Path) -> None:
    """A road that was matched in parts may have several rows."""
    table = pa.concat_tables([matched_table(), matched_table().slice(0, 3)])
    report = audited(tmp_path, table)
    assert report.failed() == {"ids_unique"}
    assert report.outcome == "valid"
    line = line_of(report, "ids_unique")
    assert (line.severity, line.judgement.offending) == (Severity.INFO, 3)


def test_missing_and_invented_ids_are_shown(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table(id=pa.array([*range(100, 110), 7, 8])))
    found = {line.name: line.judgement for line in report.checks}
    assert found["input_ids_kept"].examples == (Example(id="110"), Example(id="111"))
    assert found["no_extra_ids"].examples == (Example(id="7"), Example(id="8"))
