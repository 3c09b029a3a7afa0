"""Which row of the input a row of the output is compared with."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.against_input import values
from gem_core.audit.audit import audit
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.options import AuditOptions
from gem_core.audit.rows.example import Example
from gem_core.audit.rows.progress import Pass
from tests.audit.against_input.compared import compared, judged, line
from tests.audit.build import ROWS, audited, changed, input_table, job, large, matched_table, write


@pytest.mark.parametrize("two", [False, True])
def test_row_groups_need_not_be_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, two: bool
) -> None:
    """Nor is it another thing in two threads."""
    monkeypatch.setattr(values, "LARGE_ROWS", 1)
    table = changed(large(matched_table(30_000)), "is_navigable", r29999=False, r7=None)
    output = write(tmp_path, table, row_group_size=9_000, compression="none")
    input_ = write(tmp_path, large(input_table(30_000)), "roads.parquet", row_group_size=7_000)
    seen: list[tuple[Pass, int, int]] = []
    report = audit(
        output,
        job({"num_roads_processed": 30_000}),
        input_source=input_,
        options=AuditOptions(two_threads=two, with_values=True),
        on_rows=lambda *found: seen.append(found),
    )
    assert report.failed() == {"input_values_kept"}
    assert judged(report).examples == (
        Example(7, "107", None, "is_navigable", "True"),
        Example(29_999, "30099", "False", "is_navigable", "True"),
    )
    assert seen[-1] == (Pass.COMPARED, 30_000, 30_000)


def test_roads_matched_in_parts_are_compared_with_their_road(tmp_path: Path) -> None:
    rows = [0, 0, 0, 1, 2, 3, 3, *range(4, 12)]
    table = matched_table(13).take(pa.array(rows))
    assert compared(tmp_path, table).verdict is Verdict.PASSED
    found = compared(tmp_path, changed(table, "geometry", r2="x"))
    assert found.offending == 1
    assert found.examples == (Example(2, "100", "x", "geometry", line(0)),)


@pytest.mark.parametrize(
    "kind", [pa.string_view(), pa.dictionary(pa.int8(), pa.string()), pa.large_string()], ids=str
)
def test_parts_of_a_road_are_compared_in_every_encoding(tmp_path: Path, kind: pa.DataType) -> None:
    """Rows are taken twice and left out, which Arrow cannot do in every encoding."""
    geometry = matched_table()["geometry"].cast(kind)
    table = matched_table(geometry=geometry)
    places = pa.array([0, 0, 2, 3, 3, *range(4, ROWS)])
    parts = pa.table(
        {
            name: pa.array([column[place.as_py()].as_py() for place in places], column.type)
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
    assert compared(tmp_path, parts, input_table(geometry=geometry)).verdict is Verdict.PASSED
    found = compared(tmp_path, changed(parts, "geometry", r4="x"), input_table(geometry=geometry))
    assert found.offending == 1
    assert found.examples == (Example(4, "103", "x", "geometry", line(3)),)


def details(report: Report) -> dict[str, str]:
    return {line.name: line.judgement.detail for line in report.checks}


def test_another_order_is_not_guessed_at(tmp_path: Path) -> None:
    backwards = matched_table().take(pa.array(range(ROWS - 1, -1, -1)))
    found = compared(tmp_path, backwards)
    assert found.verdict is Verdict.NOT_RUN
    assert found.detail == "from row 1 on, the output's rows do not follow the order of the input's"
    report = audited(tmp_path, backwards, with_values=True)
    assert report.failed() == {"input_rows_paired"}
    assert report.outcome == "valid_with_warnings"
    assert found.detail == details(report)["input_rows_paired"]
    some = matched_table().take(pa.array([0, 1, 2, 4, 3, *range(5, ROWS)]))
    report = audited(tmp_path, changed(some, "geometry", r1="x", r9="y"), with_values=True)
    assert not report_to_json(report)["input"]["valuesCompared"]
    found = judged(report)
    assert found.verdict is Verdict.FAILED
    assert found.offending == 1
    assert found.detail.startswith("1 of 4 rows: geometry in 1; from row 4 on, ")


def test_text_ids_of_an_integer_input_pair_rows(tmp_path: Path) -> None:
    table = matched_table(id=pa.array([str(100 + n) for n in range(ROWS)]))
    assert compared(tmp_path, table).verdict is Verdict.PASSED
    assert compared(tmp_path, changed(table, "geometry", r1="x")).offending == 1


@pytest.mark.parametrize("side", ["output", "input"])
def test_a_column_without_ids_beside_it_is_not_compared(tmp_path: Path, side: str) -> None:
    floats = pa.array([n + 0.5 for n in range(ROWS)])
    output = matched_table(id=floats) if side == "output" else matched_table()
    input_ = input_table(id=floats) if side == "input" else None
    found = compared(tmp_path, output, input_)
    assert found.verdict is Verdict.NOT_RUN
    assert "id is double" in found.detail
