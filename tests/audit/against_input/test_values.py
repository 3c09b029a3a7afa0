"""Every value of the input's columns, when asked for: counted by column, or the reason why not."""

from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.audit import audit
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Judgement, Verdict, not_run
from gem_core.audit.options import AuditOptions
from gem_core.audit.rows.example import EXAMPLES, Example
from tests.audit.against_input.compared import compared, judged, line
from tests.audit.build import ROWS, audited, changed, input_table, job, matched_table, write


def test_values_that_nobody_asked_for_are_not_compared(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table())
    found = judged(report)
    assert (found.verdict, found.is_asked) == (Verdict.NOT_RUN, False)
    assert "GEM_INPUT_COMPARE" in found.detail
    assert not report_to_json(report)["input"]["valuesCompared"]


def test_an_output_that_kept_all_values_passes(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table(), with_values=True)
    assert judged(report) == Judgement(Verdict.PASSED)
    assert report.outcome == "valid"
    found = report_to_json(report)["input"]
    assert (found["valuesCompared"], found["differences"], found["note"]) == (True, [], None)


def test_other_values_are_counted_by_column_and_by_row(tmp_path: Path) -> None:
    table = changed(matched_table(), "is_navigable", r3=False, r5=None)
    table = changed(table, "geometry", **{f"r{n}": "POINT (0 0)" for n in range(5, 12)})
    report = audited(tmp_path, table, with_values=True)
    assert report.failed() == {"input_values_kept"}
    assert report.outcome == "invalid"
    assert judged(report) == Judgement(
        Verdict.FAILED,
        "8 of 12 rows: is_navigable in 2, geometry in 7",
        8,
        (
            Example(3, "103", "False", "is_navigable", "True"),
            Example(5, "105", None, "is_navigable", "True"),
            *(Example(n, str(100 + n), "POINT (0 0)", "geometry", line(n)) for n in (6, 7, 8)),
        ),
    )
    assert report_to_json(report)["input"]["differences"] == [
        {
            "column": "is_navigable",
            "rows": 2,
            "examples": [
                {"row": 3, "id": "103", "value": "False", "inputValue": "True"},
                {"row": 5, "id": "105", "inputValue": "True"},
            ],
        },
        {
            "column": "geometry",
            "rows": 7,
            "examples": [
                {"row": n, "id": str(100 + n), "value": "POINT (0 0)", "inputValue": line(n)}
                for n in range(5, 10)
            ],
        },
    ]


def test_rows_that_are_kept_do_not_grow_with_the_number_of_columns(tmp_path: Path) -> None:
    """A file may have thousands of columns, and each may differ in every row."""
    names = [f"c{number}" for number in range(50)]
    rows = list(range(ROWS))
    before, after = input_table(), matched_table()
    for name in names:
        before = before.append_column(name, pa.array(rows))
        after = after.append_column(name, pa.array([row + (row % 2) for row in rows]))
    after = changed(after, "is_navigable", r8=False)
    output, input_ = write(tmp_path, after), write(tmp_path, before, "input.parquet")
    options = AuditOptions(with_values=True, failing_rows=ROWS)
    facts = audit(output, job(), input_source=input_, options=options).facts.values
    assert facts
    shown = [(example.row, example.column) for example in facts.differing.examples]
    assert shown == [
        (1, "c0"),
        (3, "c0"),
        (5, "c0"),
        (7, "c0"),
        (8, "is_navigable"),
        (9, "c0"),
        (11, "c0"),
    ]
    assert {len(found.examples) for found in facts.columns.values()} == {1, EXAMPLES}


@pytest.mark.parametrize(
    ("table", "left_out"),
    [
        pytest.param(matched_table(geometry=pa.array([1] * ROWS)), "geometry", id="retyped"),
        pytest.param(matched_table(geometry=None), "geometry", id="missing"),
        pytest.param(
            matched_table().append_column("geometry", matched_table()["geometry"]),
            "geometry",
            id="twice",
        ),
    ],
)
def test_what_cannot_be_followed_is_said(tmp_path: Path, table: pa.Table, left_out: str) -> None:
    missed = f"columns that cannot be compared: {left_out}"
    assert compared(tmp_path, table) == not_run(missed)
    found = compared(tmp_path, changed(table, "is_navigable", r1=None))
    assert (found.verdict, found.offending) == (Verdict.FAILED, 1)
    assert found.detail.endswith(f"; {missed}")


def test_an_input_column_with_a_promised_name_cannot_be_followed(tmp_path: Path) -> None:
    input_ = input_table(match_status=pa.array(["old"] * ROWS))
    found = compared(tmp_path, matched_table(), input_)
    assert found == not_run("columns that cannot be compared: match_status")


NESTED = {
    "plain.dotted": pa.array(range(ROWS)),
    "tags": pa.array([{"lanes": n, "names": [str(n)] * n} for n in range(ROWS)]),
    "tags.lanes": pa.array(["x"] * ROWS),
    "rules": pa.array([[("a", n)] for n in range(ROWS)], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("plain.dotted", 99),
        ("tags", {"lanes": 3, "names": ["3", "3", "4"]}),
        ("tags.lanes", "y"),
        ("rules", [("b", 3)]),
    ],
)
def test_nested_columns_and_names_with_dots(tmp_path: Path, column: str, value: object) -> None:
    assert compared(tmp_path, matched_table(**NESTED), input_table(**NESTED)).detail == ""
    table = changed(matched_table(**NESTED), column, r3=value)
    found = compared(tmp_path, table, input_table(**NESTED))
    assert found.detail == f"1 of 12 rows: {column} in 1"


@pytest.mark.parametrize("group_rows", [1, 5, 100])
def test_categories_below_lists_are_compared_over_row_groups(
    tmp_path: Path, group_rows: int
) -> None:
    """As Polars writes a list of categories: each row group has a dictionary of its own."""
    kind = pa.list_(pa.dictionary(pa.int32(), pa.string()))
    tags = [[f"tag {n}"] for n in range(ROWS)]
    input_ = input_table().append_column("tags", pa.array(tags, kind))
    tags[7] = ["another"]
    table = matched_table().append_column("tags", pa.array(tags, kind))
    report = audited(
        tmp_path,
        write(tmp_path, table, row_group_size=group_rows),
        input_=write(tmp_path, input_, "roads.parquet", row_group_size=3),
        with_values=True,
    )
    assert judged(report).detail == "1 of 12 rows: tags in 1"
