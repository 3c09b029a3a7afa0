"""GEM's figures are read strictly and compared exactly."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.ids.facts import IdFacts
from gem_core.audit.judging.check import Missing
from gem_core.audit.judging.job_statistics import confidence_floor, roads, share, threshold
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.judging.verdict import Judgement, Verdict
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.contracts.x_version_1 import X_VERSION_1
from tests.audit.build import ROWS, audited, job, matched_table

RELATED = {
    "road_count",
    "matched_share_close",
    "matched_share_exact",
    "unmatched_share_close",
    "unmatched_share_exact",
    "matched_parts_sum",
    "shares_sum",
    "confidence_threshold",
}


def line(report: Report, name: str) -> Judgement:
    return next(found.judgement for found in report.checks if found.name == name)


@pytest.mark.parametrize(
    ("statistics", "failed"),
    [
        pytest.param({}, set(), id="right"),
        pytest.param({"num_roads_processed": 12.0}, set(), id="float-count"),
        pytest.param({"num_roads_processed": 11}, {"road_count"}, id="count"),
        pytest.param({"roads_matched": "75%"}, set(), id="fewer-digits"),
        pytest.param(
            {"roads_matched": "75.01%", "roads_fully_matched": "60.01%"},
            {"matched_share_exact"},
            id="last-digit",
        ),
        pytest.param(
            {"roads_matched": "76%", "roads_unmatched": "24%", "roads_fully_matched": "61%"},
            {"matched_share_exact", "unmatched_share_exact"},
            id="one-point-off",
        ),
        pytest.param(
            {
                "roads_matched": "76.01%",
                "roads_unmatched": "23.99%",
                "roads_fully_matched": "61.01%",
            },
            {
                "matched_share_close",
                "matched_share_exact",
                "unmatched_share_close",
                "unmatched_share_exact",
            },
            id="more-than-one-point-off",
        ),
        pytest.param({"roads_fully_matched": "59.99%"}, set(), id="parts-rounded"),
        pytest.param({"roads_fully_matched": "59.98%"}, {"matched_parts_sum"}, id="parts"),
        pytest.param({"roads_unmatched": "24.99%"}, {"unmatched_share_exact"}, id="sum-rounded"),
        pytest.param(
            {"roads_unmatched": "24.98%"}, {"unmatched_share_exact", "shares_sum"}, id="sum"
        ),
        pytest.param({"confidence_threshold": 66}, {"confidence_threshold"}, id="threshold"),
    ],
)
def test_statistics_that_differ_from_the_output_fail_their_checks(
    tmp_path: Path, statistics: dict[str, object], failed: set[str]
) -> None:
    """Nine of twelve rows are matched: 75 %."""
    assert audited(tmp_path, matched_table(), of=job(statistics)).failed() == failed


@pytest.mark.parametrize(
    ("name", "value", "unknown"),
    [
        *(
            ("roads_matched", value, RELATED & {
                "matched_share_close", "matched_share_exact", "matched_parts_sum", "shares_sum",
            })
            for value in (
                None, 75, 0.75, "75", " 84,68 %", " 75%", "NaN%", "-1%", "120%", "", True,
            )
        ),
        *(
            ("num_roads_processed", value, {"road_count"})
            for value in (None, "12", True, -1, 12.5, float("nan"), float("inf"))
        ),
        *(
            ("confidence_threshold", value, {"confidence_threshold"})
            for value in (None, "60", -1, 101, float("nan"), False)
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_not_run(
    tmp_path: Path, name: str, value: object, unknown: set[str]
) -> None:
    report = audited(tmp_path, matched_table(), of=job({name: value}))
    assert report.failed() == {"statistics_readable"}
    assert report.outcome == "valid_with_warnings"
    assert name in line(report, "statistics_readable").detail
    assert report.drift == (line(report, "statistics_readable").detail,)
    for check in RELATED:
        found = line(report, check)
        assert (found.verdict is Verdict.NOT_RUN) is (check in unknown)
        assert found.verdict is not Verdict.NOT_RUN or name in found.detail


def test_a_job_without_statistics_is_judged_without_them_and_says_so(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table(), of=replace(job(), statistics={}))
    assert report.failed() == {"statistics_readable"}
    assert report.outcome == "valid_with_warnings"
    assert {
        check for check in RELATED if line(report, check).verdict is not Verdict.NOT_RUN
    } == set()


def in_parts() -> pa.Table:
    """Four roads, of which road 1 is matched in three parts: 3 of 4 roads, 5 of 6 rows."""
    return matched_table(6, matched=5, id=pa.array([1, 1, 1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("statistics", "by"),
    [
        ({"num_roads_processed": 4, "roads_matched": "75%", "roads_unmatched": "25%"}, "ids"),
        (
            {"num_roads_processed": 6, "roads_matched": "83.33%", "roads_unmatched": "16.67%"},
            "rows",
        ),
    ],
)
def test_roads_in_parts_agree_by_rows_or_by_ids(
    tmp_path: Path, statistics: dict[str, object], by: str
) -> None:
    parts = {"roads_fully_matched": None, "roads_partially_matched": None}
    input_ids = matched_table(4, id=pa.array([1, 2, 3, 4])).select(
        ["id", "is_navigable", "geometry"]
    )
    report = audited(tmp_path, in_parts(), input_=input_ids, of=job(statistics | parts))
    assert report.failed() == {"ids_unique", "statistics_readable"}
    for check in ("road_count", "matched_share_exact", "unmatched_share_close"):
        assert line(report, check).detail == f"agreed by {by}"


def test_a_count_that_fits_neither_names_both(tmp_path: Path) -> None:
    report = audited(tmp_path, in_parts(), of=job({"num_roads_processed": 5}))
    found = line(report, "road_count")
    assert found.detail == "num_roads_processed is 5, there are 6 by rows and 4 by ids"
    assert line(report, "matched_share_exact").verdict is Verdict.PASSED


UNKNOWN = IdFacts(
    rows=ROWS,
    distinct=None,
    distinct_matched=None,
    not_counted="the ids did not fit",
    missing=None,
    extra=None,
    not_compared="the ids did not fit",
)


@pytest.mark.parametrize(
    ("statistics", "check", "verdict"),
    [
        ({}, "road_count", Verdict.PASSED),
        ({"num_roads_processed": 11}, "road_count", Verdict.NOT_RUN),
        ({}, "matched_share_close", Verdict.PASSED),
        ({"roads_matched": "80%"}, "matched_share_close", Verdict.FAILED),
        (
            {"roads_matched": "80%", "num_roads_processed": 11},
            "matched_share_close",
            Verdict.NOT_RUN,
        ),
        (
            {"roads_matched": "80%", "num_roads_processed": None},
            "matched_share_exact",
            Verdict.NOT_RUN,
        ),
        ({}, "ids_unique", Verdict.NOT_RUN),
    ],
)
def test_ids_that_could_not_be_counted_leave_open_what_needs_them(
    tmp_path: Path, statistics: dict[str, object], check: str, verdict: Verdict
) -> None:
    """A figure that is not that of the rows may be that of distinct ids, unless GEM counts rows."""
    facts = audited(tmp_path, matched_table(), of=job(statistics)).facts
    report = judge(replace(facts, ids=UNKNOWN), bytes_read=0, requests=0)
    found = line(report, check)
    assert found.verdict is verdict
    assert (UNKNOWN.not_counted in found.detail) is (verdict is Verdict.NOT_RUN)


def test_without_an_id_column_a_count_that_differs_proves_nothing(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table(id=None), of=job({"num_roads_processed": 11}))
    found = line(report, "road_count")
    assert found.verdict is Verdict.NOT_RUN
    assert "there is no column id" in found.detail


def test_a_threshold_in_single_precision_is_met(tmp_path: Path) -> None:
    """0.7 stored in four bytes is 0.69999999, which is what GEM wrote and no fault."""
    values = pa.array([0.7] * 8 + [0.8] + [None] * 3, pa.float32())
    report = audited(
        tmp_path, matched_table(match_confidence=values), of=job({"confidence_threshold": 70})
    )
    assert report.failed() == set()


def test_figures_are_read_as_they_are(tmp_path: Path) -> None:
    facts = audited(tmp_path, matched_table()).facts
    without = replace(facts, job=replace(facts.job, statistics={}))
    assert roads(facts) == 12
    assert threshold(facts) == 60
    assert share(Statistic.MATCHED_SHARE)(facts).text == "75.00%"
    assert confidence_floor(facts) == pytest.approx(0.6, abs=1e-5)
    assert confidence_floor(without) is None
    with pytest.raises(Missing, match="have no roads_matched"):
        share(Statistic.MATCHED_SHARE)(without)


@pytest.mark.parametrize(
    ("reported", "failed"),
    [
        pytest.param({"matchRate": 75.0}, {"statistics_readable"}, id="right"),
        pytest.param(
            {"matchRate": 95.0},
            {"statistics_readable", "matched_share_close", "matched_share_exact"},
            id="far",
        ),
        pytest.param({"matchRate": 950}, {"statistics_readable"}, id="impossible"),
        pytest.param(
            {"matchRate": 75.0, "totalRecords": 13},
            {"statistics_readable", "road_count"},
            id="count",
        ),
    ],
)
def test_figures_of_the_oldest_pages_are_compared(
    reported: dict[str, object], failed: set[str], tmp_path: Path
) -> None:
    """They have no share of unmatched roads, which the check statistics_readable says."""
    statistics = {"totalRecords": ROWS, **reported}
    report = audited(tmp_path, matched_table(), of=replace(job(), statistics=statistics))
    assert report.failed() == failed


@given(st.integers(1, 400), st.data())
def test_a_printed_share_agrees_with_itself(rows: int, data: st.DataObject) -> None:
    """Whatever is truncated or rounded from counts is found equal to those counts."""
    matched = data.draw(st.integers(0, rows))
    digits = data.draw(st.integers(0, 6))
    scale = 10**digits
    down, rest = divmod(matched * 100 * scale, rows)
    for printed in {down, down + (2 * rest >= rows)}:
        text = f"{printed // scale}" + (f".{printed % scale:0{digits}}" if digits else "") + "%"
        assert X_VERSION_1.figures.read_share(text).prints(Fraction(matched, rows))
