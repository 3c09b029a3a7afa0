"""Types that the pages of GEM do not name, and that break no promise."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.judging.report import Report
from gem_core.outcome import Outcome
from tests.audit.build import ROWS, audited, changed, input_table, job, matched_table

NOTHING_MATCHED = {
    "roads_matched": "0%",
    "roads_unmatched": "100%",
    "roads_fully_matched": "0%",
    "roads_partially_matched": "0%",
}
NO_TYPE = pa.nulls(ROWS)
"""What pandas writes for a column of None."""
IDS = pa.array(range(2**63, 2**63 + ROWS), pa.uint64())


def failed_checks(report: Report) -> set[str]:
    return {each.name for each in report.checks if each.verdict == "failed"}


def test_columns_without_a_type_are_fine_if_nothing_was_matched(tmp_path: Path) -> None:
    table = matched_table(matched=0, gers_id=NO_TYPE, match_confidence=NO_TYPE)
    report = audited(tmp_path, table, of=job(NOTHING_MATCHED))
    assert report.outcome is Outcome.VALID_WITH_WARNINGS
    assert failed_checks(report) == {"some_matched"}
    assert report.complete


@pytest.mark.parametrize("sent", [pa.uint64(), pa.decimal128(20, 0)], ids=str)
@pytest.mark.parametrize("kept", [pa.decimal128(20, 0), pa.decimal256(40, 0)], ids=str)
def test_ids_may_be_decimals_without_a_fraction(
    tmp_path: Path, sent: pa.DataType, kept: pa.DataType
) -> None:
    """Spark has no uint64 and writes decimal(20, 0)."""
    sent_table, kept_table = (
        make(id=IDS.cast(kind)) for make, kind in ((input_table, sent), (matched_table, kept))
    )
    report = audited(tmp_path, kept_table, input_=sent_table, with_values=True)
    assert failed_checks(report) == ({"input_types_not_widened"} if kept != sent else set())
    other = changed(kept_table, "id", r3=7, r4=None)
    report = audited(tmp_path, other, input_=sent_table)
    assert failed_checks(report) >= {"id_present", "input_ids_kept", "no_extra_ids"}
    shown = {each.name: each.judgement for each in report.checks}
    assert shown["no_extra_ids"].examples[0].id == "7"
    assert shown["input_ids_kept"].examples[0].id == str(2**63 + 3)


def test_ids_with_a_fraction_are_none(tmp_path: Path) -> None:
    ids = pa.array(range(ROWS), pa.decimal128(20, 2))
    assert "id_column" in failed_checks(audited(tmp_path, matched_table(id=ids)))
