"""What a check says, word by word, and where its bounds lie."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.judging.report import judge
from gem_core.audit.judging.verdict import Judgement, failed, not_run, passed
from gem_core.gem.job import GemJob
from tests.audit.build import (
    NO_SHARES,
    ROWS,
    audited,
    changed,
    gers,
    input_table,
    job,
    matched_table,
)
from tests.audit.lines import line_of

NO_STATUS = matched_table(match_status=None)


def judged(
    folder: Path, table: pa.Table, of: GemJob, check: str, input_: pa.Table | None = None
) -> Judgement:
    report = audited(folder, table, of=of, input_=input_, with_values=True)
    return line_of(report, check).judgement


def reporting(**statistics: object) -> GemJob:
    return job(statistics)


SAID: dict[str, tuple[pa.Table, GemJob, str, Judgement]] = {
    "no-rows-to-count": (
        NO_STATUS,
        job(),
        "matched_share_exact",
        not_run("there are no rows with a status to count"),
    ),
    "shares-of-both-countings": (
        matched_table(),
        reporting(roads_matched="70%"),
        "matched_share_close",
        failed("roads_matched is 70%, the output has 75.0000% by rows and 75.0000% by ids"),
    ),
    "a-share-off-is-off-though-roads-are-not-rows": (
        matched_table(),
        reporting(roads_matched="70%", num_roads_processed=11),
        "matched_share_close",
        failed("roads_matched is 70%, the output has 75.0000% by rows and 75.0000% by ids"),
    ),
    "no-id-column": (
        matched_table(id=None),
        reporting(num_roads_processed=11),
        "road_count",
        not_run("num_roads_processed is 11, there are 12 by rows, and there is no column id"),
    ),
    "no-roads-reported": (
        matched_table(),
        reporting(num_roads_processed=0),
        "road_count",
        failed("num_roads_processed is 0, there are 12 by rows and 12 by ids"),
    ),
    "needs-two-columns": (
        NO_STATUS,
        job(),
        "gers_id_on_matched",
        not_run("there is no column match_status"),
    ),
    "needs-ids": (
        matched_table(id=None),
        job(),
        "ids_unique",
        not_run("there is no column id"),
    ),
    "no-status": (
        NO_STATUS,
        job(),
        "some_matched",
        not_run("there are no rows with a status"),
    ),
    "none-matched": (
        matched_table(matched=0),
        job(NO_SHARES),
        "some_matched",
        failed("no row is matched"),
    ),
    "one-confidence": (
        matched_table(matched=1),
        job(NO_SHARES),
        "confidences_vary",
        not_run("fewer than two matched rows have a usable confidence"),
    ),
    "one-gers-id": (
        matched_table(matched=1),
        job(NO_SHARES),
        "gers_ids_vary",
        not_run("fewer than two matched rows have a GERS id"),
    ),
    "two-that-vary": (matched_table(matched=2), job(NO_SHARES), "confidences_vary", passed()),
    "two-gers-ids-that-vary": (matched_table(matched=2), job(NO_SHARES), "gers_ids_vary", passed()),
    "two-of-one-confidence": (
        changed(matched_table(matched=2), "match_confidence", r0=0.75, r1=0.75),
        job(NO_SHARES),
        "confidences_vary",
        failed("all 2 are 0.75", 2),
    ),
    "two-of-one-gers-id": (
        changed(matched_table(matched=2), "gers_id", r1=gers(0)),
        job(NO_SHARES),
        "gers_ids_vary",
        failed(f"all 2 are {gers(0)}"),
    ),
    "parts-in-more-digits": (
        matched_table(),
        reporting(roads_fully_matched="60%", roads_partially_matched="15.02%"),
        "matched_parts_sum",
        failed("60% + 15.02% is 75.02%, not 75.00%"),
    ),
    "parts-in-many-digits": (
        matched_table(),
        reporting(
            roads_matched="75%",
            roads_fully_matched="60%",
            roads_partially_matched="15.000000000002%",
        ),
        "matched_parts_sum",
        failed("60% + 15.000000000002% is 75.000000000002%, not 75%"),
    ),
    "parts-off-by-a-unit": (
        matched_table(),
        reporting(roads_fully_matched="60%", roads_partially_matched="15.01%"),
        "matched_parts_sum",
        passed(),
    ),
    "threshold-0": (
        matched_table(),
        reporting(confidence_threshold=0),
        "confidence_threshold",
        passed(),
    ),
    "threshold-100": (
        changed(matched_table(matched=2), "match_confidence", r0=1.0, r1=1.0),
        job({**NO_SHARES, "confidence_threshold": 100}),
        "confidence_threshold",
        passed(),
    ),
    "threshold-101": (
        matched_table(),
        reporting(confidence_threshold=101),
        "confidence_threshold",
        not_run("confidence_threshold is 101, not within 0 to 100"),
    ),
}


@pytest.mark.parametrize(("table", "of", "check", "expected"), SAID.values(), ids=SAID)
def test_each_judgement_has_its_detail_count_and_examples(
    tmp_path: Path, table: pa.Table, of: GemJob, check: str, expected: Judgement
) -> None:
    assert judged(tmp_path, table, of, check) == expected


def test_ids_that_are_all_null_have_no_share(tmp_path: Path) -> None:
    table = matched_table(id=pa.nulls(ROWS, pa.int64()))
    assert judged(tmp_path, table, job(), "matched_share_exact") == passed("agreed by rows")


@pytest.mark.parametrize("columns", [10, 11])
def test_of_many_columns_that_differ_ten_are_named(tmp_path: Path, columns: int) -> None:
    names = [f"c{n}-" + "x" * 97 for n in range(columns)]
    output = matched_table(**{name: pa.array([1] * ROWS) for name in names})
    input_ = input_table(**{name: pa.array([0] * ROWS) for name in names})
    found = judged(tmp_path, output, job(), "input_values_kept", input_)
    shown = ", ".join(f"{name[:100]} in 12" for name in names[:10])
    assert found.detail == f"12 of 12 rows: {shown}" + (", …" if columns > 10 else "")


@pytest.mark.parametrize("columns", [10, 11])
def test_of_many_columns_that_are_left_out_ten_are_named(tmp_path: Path, columns: int) -> None:
    names = [f"c{n}-" + "x" * 98 for n in range(columns)]
    input_ = input_table(**{name: pa.array([0] * ROWS) for name in names})
    found = judged(tmp_path, matched_table(), job(), "input_values_kept", input_)
    shown = ", ".join(name[:100] for name in names[:10])
    assert found == not_run(f"columns that cannot be compared: {shown}")


@pytest.mark.parametrize("columns", [10, 11])
def test_of_many_columns_ten_are_listed(tmp_path: Path, columns: int) -> None:
    names = [f"c{n}-" + "x" * 98 for n in range(columns)]
    more = {name: pa.array([1] * ROWS) for name in names}
    found = judged(tmp_path, matched_table(**more), job(), "no_extra_columns")
    shown = ", ".join(name[:100] for name in names[:10])
    assert found == failed(shown + (" and 1 more" if columns > 10 else ""), columns)


def test_each_check_of_ids_says_why_they_were_not_counted(tmp_path: Path) -> None:
    facts = audited(tmp_path, matched_table(), of=reporting(num_roads_processed=11)).facts
    report = judge(replace(facts, ids=None, ids_fault="the disk is full"), bytes_read=0, requests=0)
    said = {line.name: line.judgement.detail for line in report.checks}
    assert said["road_count"].endswith("there are 12 by rows, and the disk is full")
    assert said["ids_unique"] == said["input_ids_kept"] == "the disk is full"


def test_values_of_rows_that_pyarrow_cannot_read_are_not_judged(tmp_path: Path) -> None:
    facts = audited(tmp_path, matched_table(), with_values=True).facts
    report = judge(
        replace(facts, unsupported="a type that it does not know"), bytes_read=0, requests=0
    )
    said = line_of(report, "input_values_kept").judgement
    assert said == not_run("pyarrow cannot read the rows")


def test_an_input_without_usable_ids_is_reported(tmp_path: Path) -> None:
    input_ = input_table(id=pa.array([n + 0.5 for n in range(ROWS)]))
    why = "the input's ids cannot be compared: id is double, not an integer or text"
    for check in ("input_ids_kept", "input_values_kept"):
        assert judged(tmp_path, matched_table(), job(), check, input_) == not_run(why)
