"""Outputs of every generation: which layout a file has, and how it is judged."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.gem.contracts import known
from gem_core.gem.job import GemJob
from tests.audit.build import ROWS, audited, gers, input_table, job, matched_table, write
from tests.audit.lines import line_of
from tests.gem.contracts.newer import newer_answer

MATCHED = 9


def newer_job(**members: object) -> GemJob:
    """A finished job of the newer pages, with the figures of `newer_table` and its input."""
    figures = {
        "confidence_threshold": 60,
        "num_roads_processed": ROWS,
        "roads_fully_matched_ratio": 0.6,
        "roads_matched_ratio": 0.75,
        "roads_partially_matched_ratio": 0.15,
        "roads_unmatched_ratio": 0.25,
    }
    answer = newer_answer(
        input_filename="roads.parquet", result_filename="roads_matched.parquet", statistics=figures
    )
    return known.read(answer | members)


def newer_table(matched: int = MATCHED, **columns: object) -> pa.Table:
    """One row for each match, ids as text; the first road has two matches."""
    ids = [str(100 + n) for n in (0, *range(matched))] if matched else []
    table = {
        "id": pa.array(ids, pa.string()),
        "gers": pa.array([gers(n) for n in range(len(ids))], pa.string()),
        "confidence": pa.array([65 + n for n in range(len(ids))], pa.int32()),
        "lr_id": pa.array(["0.0-1.0"] * len(ids), pa.string()),
        "lr_gers": pa.array(["0.0-1.0"] * len(ids), pa.string()),
        **columns,
    }
    return pa.table({name: column for name, column in table.items() if column is not None})


def technical_table(**columns: object) -> pa.Table:
    status = ["full"] * 7 + ["partial"] * 2 + ["none"] * 3
    table = {
        "id": pa.array(range(100, 100 + ROWS), pa.int64()),
        "gers_id": matched_table().column("gers_id"),
        "confidence": matched_table().column("match_confidence"),
        "match_type": pa.array(status),
        "linear_ref_start": pa.array([0.0] * MATCHED + [None] * 3, pa.float64()),
        "linear_ref_end": pa.array([12.5] * MATCHED + [None] * 3, pa.float64()),
        "overture_release": pa.array(["2026-01-21.0"] * ROWS),
    }
    return pa.table(table | columns)


def failed(report: Report) -> set[str]:
    """But for the name of the output, which these tests share."""
    return set(report.failed()) - {"name_pattern"}


def plain(report: Report) -> dict[str, Any]:
    return report_to_json(report)


def test_the_newer_layout_is_judged(tmp_path: Path) -> None:
    report = audited(tmp_path, newer_table(), of=newer_job())
    assert failed(report) == {"ids_unique"}  # for information
    assert report.complete
    assert plain(report)["output"]["layout"] == "unversioned"
    assert plain(report)["match"]["roads"] == {
        "total": ROWS,
        "matched": MATCHED,
        "unmatched": 3,
        "shareMatched": 0.75,
        "shareUnmatched": 0.25,
    }
    assert plain(report)["match"]["matches"] == 10
    confidence = plain(report)["match"]["confidence"]
    assert (confidence["scale"], confidence["min"], confidence["max"]) == ("percent", 0.65, 0.74)
    assert plain(report)["statistics"]["compared"]["roads"]["verdict"] == "passed"
    assert plain(report)["statistics"]["compared"]["matchedShare"]["verdict"] == "passed"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        pytest.param(pa.array(["not a reference"] * 10), "string", id="text"),
        pytest.param(pa.array([-1.5] * 10), "double", id="number"),
        pytest.param(pa.array([[5.0, 1.0]] * 10), "list<element: double>", id="list"),
        pytest.param(
            pa.array([{"from": 1, "to": 0}] * 10), "struct<from: int64, to: int64>", id="struct"
        ),
        pytest.param(pa.nulls(10, pa.binary()), "binary", id="nothing"),
        pytest.param(None, None, id="no-column"),
    ],
)
def test_the_matched_parts_of_lines_have_a_type_that_is_told_and_no_check(
    values: pa.Array | None, told: str | None, tmp_path: Path
) -> None:
    """No page says what lr_id and lr_gers look like."""
    report = audited(tmp_path, newer_table(lr_id=values, lr_gers=values), of=newer_job())
    assert failed(report) == {"ids_unique"}
    types = {column["name"]: column["type"] for column in plain(report)["output"]["columns"]}
    assert (types.get("lr_id"), types.get("lr_gers")) == (told, told)


def test_without_the_input_roads_without_a_match_are_unknown(tmp_path: Path) -> None:
    missing = write(tmp_path, pa.table({"x": [1]}), "roads.parquet")
    report = audited(tmp_path, newer_table(), of=newer_job(), input_=missing)
    roads = plain(report)["match"]["roads"]
    assert roads == {
        "total": None,
        "matched": MATCHED,
        "unmatched": None,
        "shareMatched": None,
        "shareUnmatched": None,
    }
    compared = plain(report)["statistics"]["compared"]["matchedShare"]
    assert compared["verdict"] == "not_run"
    assert "roads without a match are only in the input" in compared["detail"]


def test_a_newer_output_has_other_faults(tmp_path: Path) -> None:
    table = newer_table(gers=pa.array([None, "", "R_78212", *map(gers, range(7))], pa.string()))
    report = audited(tmp_path, table, of=newer_job())
    assert failed(report) >= {"gers_id_on_matched", "gers_id_not_blank", "gers_id_format"}
    assert report.outcome == "invalid"
    foreign = newer_table(id=pa.array([str(n) for n in (7, *range(100, 109))]))
    assert "no_extra_ids" in audited(tmp_path, foreign, of=newer_job()).failed()


@pytest.mark.parametrize("without_type", [(), newer_table().schema.names], ids=["typed", "pandas"])
def test_no_match_at_all_is_no_fault(tmp_path: Path, without_type: list[str]) -> None:
    """Such a file has no row, and pandas gives a type to no column of it."""
    figures = {"num_roads_processed": ROWS, "roads_matched_ratio": 0, "roads_unmatched_ratio": 1}
    of = newer_job(statistics=dict(newer_job().statistics) | figures)
    table = newer_table(matched=0, **dict.fromkeys(without_type, pa.nulls(0)))
    report = audited(tmp_path, table, of=of)
    assert failed(report) == {"some_matched", "matched_parts_sum"}
    assert report.outcome == "valid_with_warnings"


def test_gem_may_leave_out_roads_that_are_not_navigable(tmp_path: Path) -> None:
    of = newer_job(statistics=dict(newer_job().statistics) | {"num_roads_processed": 10})
    report = audited(tmp_path, newer_table(), of=of)
    compared = plain(report)["statistics"]["compared"]
    assert compared["roads"]["verdict"] == compared["matchedShare"]["verdict"] == "not_run"
    of = newer_job(statistics=dict(newer_job().statistics) | {"num_roads_processed": 13})
    assert "road_count" in audited(tmp_path, newer_table(), of=of).failed()


CONFIDENCES = {
    "percent": ([65.0, 70.0, 80.5, 99.0, 100.0], "percent", set(), 0.65),
    "unit": ([0.65, 0.7, 0.805, 0.99, 1.0], "0 to 1", set(), 0.65),
    "one above": ([0.65, 0.7, 0.805, 0.99, 70.0], "0 to 1", {"confidence_range"}, 0.65),
    "one beyond": ([65.0, 70.0, 80.5, 99.0, 101.0], "percent", {"confidence_range"}, 0.65),
    "half": ([0.7, 0.8, 70.0, 80.0], "0 to 1", {"confidence_range"}, 0.7),
    "not finite": ([65.0, 70.0, float("inf")], "percent", {"confidence_finite"}, 0.65),
    "low": ([59.0, 70.0, 80.0], "percent", {"confidence_threshold"}, 0.59),
}


@pytest.mark.parametrize(
    ("values", "scale", "checks", "least"), CONFIDENCES.values(), ids=CONFIDENCES
)
@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()], ids=str)
def test_most_of_the_confidences_say_what_all_mean(
    tmp_path: Path,
    values: list[float],
    scale: str,
    checks: set[str],
    least: float,
    kind: pa.DataType,
) -> None:
    count = len(values)
    table = newer_table(count - 1, confidence=pa.array(values, kind))
    report = audited(tmp_path, table, of=newer_job())
    related = {line.name for line in report.checks if line.name.startswith("confidence_")}
    assert failed(report) & related == checks
    found = plain(report)["match"]["confidence"]
    assert (found["scale"], found["min"]) == (scale, pytest.approx(least))
    assert found["max"] <= 1


def test_integers_are_percent_even_when_all_are_small(tmp_path: Path) -> None:
    table = newer_table(confidence=pa.array([0, 1] * 5, pa.int8()))
    found = plain(audited(tmp_path, table, of=newer_job()))["match"]["confidence"]
    assert (found["scale"], found["max"]) == ("percent", 0.01)


def test_the_contract_of_the_page_has_no_percent(tmp_path: Path) -> None:
    percents = pa.array([65.0 + n for n in range(MATCHED)] + [None] * 3)
    report = audited(tmp_path, matched_table(match_confidence=percents))
    assert "confidence_range" in report.failed()
    whole = pa.array([65 + n for n in range(MATCHED)] + [None] * 3, pa.int32())
    assert "confidence_column" in audited(tmp_path, matched_table(match_confidence=whole)).failed()


def test_the_half_way_layout_is_judged_and_told(tmp_path: Path) -> None:
    report = audited(tmp_path, technical_table())
    assert failed(report) == {"layout_of_contract"}
    assert report.drift == (
        "the output has the layout technical-page, GEM answered in the contract x-version-1",
    )
    assert plain(report)["match"]["roads"]["matched"] == MATCHED
    assert report.outcome == "valid_with_warnings"


LINEAR = {
    "negative": ({"linear_ref_start": [-0.1]}, {"linear_reference_values"}),
    "infinite": ({"linear_ref_end": [float("inf")]}, {"linear_reference_values"}),
    "no number": ({"linear_ref_end": [float("nan")]}, {"linear_reference_values"}),
    "backwards": ({"linear_ref_start": [13.0]}, {"linear_reference_order"}),
    "equal": ({"linear_ref_start": [12.5]}, set()),
    "far": ({"linear_ref_end": [141977.6]}, set()),
}


@pytest.mark.parametrize(("columns", "checks"), LINEAR.values(), ids=LINEAR)
def test_linear_references_are_metres(
    tmp_path: Path, columns: dict[str, list[float]], checks: set[str]
) -> None:
    usual = {"linear_ref_start": 0.0, "linear_ref_end": 12.5}
    changed = {
        name: pa.array([*first, *[usual[name]] * (MATCHED - 1), *[None] * 3], pa.float64())
        for name, first in columns.items()
    }
    report = audited(tmp_path, technical_table(**changed))
    assert failed(report) - {"layout_of_contract"} == checks
    shown = {
        e.value for line in report.checks if line.name in checks for e in line.judgement.examples
    }
    start, end = (columns.get(name, [value])[0] for name, value in usual.items())
    assert shown == ({f"{start} to {end}"} if checks else set())


UNKNOWN = {
    "invented": pa.table({"road": ["1"], "entity": ["x"]}),
    "the input": input_table(),
    "mixed": pa.table({"id": ["1"], "gers": ["x"], "match_status": ["matched"]}),
    "lane level": pa.table({"traceId": ["1"], "mapRevisionId": ["7"], "roads": ["x"]}),
}


@pytest.mark.parametrize("table", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("of", [job(), newer_job()], ids=["page", "newer"])
def test_an_unknown_layout_is_not_audited(tmp_path: Path, table: pa.Table, of: GemJob) -> None:
    if of.contract == "unversioned" and "gers" in table.column_names:
        table = table.drop_columns(["gers"])
    report = audited(tmp_path, table, of=of)
    assert report.outcome == "not_audited"
    assert failed(report) == {"layout_known"}
    assert not report.complete
    line = line_of(report, "layout_known")
    assert all(name in line.judgement.detail for name in table.column_names)
    assert ("lane-level" in line.judgement.detail) is ("traceId" in table.column_names)


def test_an_answer_of_one_generation_with_the_file_of_the_other(tmp_path: Path) -> None:
    report = audited(tmp_path, newer_table(), of=job())
    assert plain(report)["output"]["layout"] == "unversioned"
    assert "layout_of_contract" in report.failed()
    report = audited(tmp_path, matched_table(), of=newer_job())
    assert plain(report)["output"]["layout"] == "x-version-1"
    assert failed(report) == {"layout_of_contract"}


def test_columns_of_the_input_do_not_hide_the_layout_of_the_contract(tmp_path: Path) -> None:
    more: dict[str, Any] = {"gers": ["a"] * ROWS, "confidence": [7] * ROWS, "traceId": ["t"] * ROWS}
    report = audited(tmp_path, matched_table(**more), input_=input_table(**more))
    assert report.outcome == "valid"
    lacking = matched_table(match_confidence=None, **more)
    report = audited(tmp_path, lacking, input_=input_table(**more))
    assert "layout_of_contract" in report.failed()


def test_a_file_without_its_job_is_audited_in_its_layout(tmp_path: Path) -> None:
    alone = replace(newer_job(), contract="x-version-1", answer={}, statistics={})
    report = audited(tmp_path, newer_table(), of=alone)
    assert "layout_of_contract" not in report.failed()
    assert report.outcome == "valid_with_warnings"  # its name
