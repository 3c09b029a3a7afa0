"""Every value of the input's columns, when asked for: counted by column, or the reason why not."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.against_input import values
from gem_core.audit.audit import audit
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Judgement, Verdict, not_run
from gem_core.audit.options import AuditOptions
from gem_core.audit.parquet.column_chunks import chunks
from gem_core.audit.reading.source import open_file
from gem_core.audit.rows.example import EXAMPLES, Example
from gem_core.audit.rows.progress import Pass
from gem_core.errors import OutputChanged
from tests.audit import bombs
from tests.audit.build import (
    ROWS,
    audited,
    changed,
    input_table,
    job,
    large,
    matched_table,
    write,
    write_bytes,
)
from tests.audit.reading.memory_source import MemorySource
from tests.parquet_files import footer_of, parquet_bytes

ALL = AuditOptions(with_values=True)


def line(row: int) -> str:
    """The geometry of a row of the input."""
    return str(input_table()["geometry"][row].as_py())


def judged(report: Report) -> Judgement:
    [line] = [line for line in report.checks if line.name == "input_values_kept"]
    return line.judgement


def compared(folder: Path, output: pa.Table, input_: pa.Table | None = None) -> Judgement:
    return judged(audited(folder, output, input_=input_, with_values=True))


def test_nobody_asked(tmp_path: Path) -> None:
    report = audited(tmp_path, matched_table())
    found = judged(report)
    assert (found.verdict, found.is_asked) == (Verdict.NOT_RUN, False)
    assert "GEM_INPUT_COMPARE" in found.detail
    assert not report_to_json(report)["input"]["valuesCompared"]


def test_all_is_as_it_was(tmp_path: Path) -> None:
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
def test_parts_of_a_road_in_every_encoding(tmp_path: Path, kind: pa.DataType) -> None:
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


def test_text_ids_of_an_integer_input_pair_rows(tmp_path: Path) -> None:
    table = matched_table(id=pa.array([str(100 + n) for n in range(ROWS)]))
    assert compared(tmp_path, table).verdict is Verdict.PASSED
    assert compared(tmp_path, changed(table, "geometry", r1="x")).offending == 1


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


@pytest.mark.parametrize("side", ["output", "input"])
def test_a_column_without_ids_beside_it_is_not_compared(tmp_path: Path, side: str) -> None:
    floats = pa.array([n + 0.5 for n in range(ROWS)])
    output = matched_table(id=floats) if side == "output" else matched_table()
    input_ = input_table(id=floats) if side == "input" else None
    found = compared(tmp_path, output, input_)
    assert found.verdict is Verdict.NOT_RUN
    assert "id is double" in found.detail


def spoilt(path: Path, column: str) -> bytes:
    """The file with zeros in place of the column's first page."""
    data = bytearray(path.read_bytes())
    metadata = pq.read_metadata(path)
    index = metadata.schema.to_arrow_schema().get_field_index(column)
    start = metadata.row_group(0).column(index).data_page_offset
    data[start : start + 30] = bytes(30)
    return bytes(data)


def test_geometry_that_is_broken_shows_when_all_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, matched_table(), use_dictionary=False).path
    output = write_bytes(tmp_path, spoilt(path, "geometry"))
    assert audited(tmp_path, output).outcome == "valid"
    report = audited(tmp_path, open_file(path), with_values=True)
    assert report.failed() == {"rows_readable"}
    assert judged(report) == Judgement(Verdict.NOT_RUN, "the rows could not be read to the end")


def test_a_column_that_names_values_which_are_not_there_is_broken(tmp_path: Path) -> None:
    output = write_bytes(tmp_path, bombs.index_beyond_dictionary("geometry"))
    report = audited(tmp_path, output, with_values=True)
    assert "rows_readable" in report.failed()


@pytest.mark.parametrize("large_rows", [1, 1 << 18])
def test_an_input_that_is_broken_says_nothing_about_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_rows: int
) -> None:
    """Whichever thread finds out."""
    monkeypatch.setattr(values, "LARGE_ROWS", large_rows)
    path = write(tmp_path, input_table(), "roads.parquet", use_dictionary=False).path
    input_ = write_bytes(tmp_path, spoilt(path, "geometry"), "roads.parquet")
    output = write(tmp_path, matched_table())
    options = AuditOptions(two_threads=True, with_values=True)
    report = audit(output, job(), input_source=input_, options=options)
    assert report.outcome == "valid"
    assert judged(report).verdict is Verdict.NOT_RUN
    assert judged(report).detail.startswith("the input's data is broken")


def test_an_output_that_changes_while_it_is_compared_is_no_verdict(tmp_path: Path) -> None:
    table = large(matched_table(30_000))
    data = write(tmp_path, table, compression="none", row_group_size=9_000).path.read_bytes()
    input_ = write(tmp_path, large(input_table(30_000)), "roads.parquet")
    answers = 0
    while True:
        try:
            source = MemorySource(data, OutputChanged("replaced"), answers)
            report = audit(source, job(), input_source=None)
            break
        except OutputChanged:
            answers += 1
    assert report.rows == 30_000
    source = MemorySource(data, OutputChanged("replaced"), answers)
    with pytest.raises(OutputChanged):
        audit(source, job(), input_source=input_, options=ALL)


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


@pytest.mark.parametrize("side", ["output", "input"])
def test_what_pyarrow_cannot_decode_is_not_called_broken(tmp_path: Path, side: str) -> None:
    """An encoding of the years to come: other readers take it."""
    output, input_ = (parquet_bytes(table) for table in (matched_table(), input_table()))
    if side == "output":
        output = bombs.newer_encoding("is_navigable", output)
    else:
        input_ = bombs.newer_encoding("is_navigable", input_)
    report = audited(
        tmp_path,
        write_bytes(tmp_path, output),
        input_=write_bytes(tmp_path, input_, "roads.parquet"),
        with_values=True,
    )
    assert report.outcome == "valid"
    found = judged(report)
    assert found.verdict is Verdict.NOT_RUN
    assert f"pyarrow cannot read the {side} to its end" in found.detail


def test_a_column_with_fewer_rows_than_the_footer_states_is_broken(tmp_path: Path) -> None:
    """Pyarrow passes over a page of a type that it does not know, and then gives no row at all."""
    data = parquet_bytes(matched_table(), use_dictionary=False)
    ((place,),) = chunks(footer_of(data), ["is_navigable"])
    # The header begins with its type, member 1, which is 0 for a data page; in zigzag.
    assert data[place.start : place.start + 2] == b"\x15\x00"
    data = data[: place.start + 1] + b"\x14" + data[place.start + 2 :]
    report = audited(tmp_path, write_bytes(tmp_path, data), with_values=True)
    assert "rows_readable" in report.failed()


def test_what_arrow_cannot_compare_is_no_fault_of_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: object) -> None:
        raise pa.ArrowNotImplementedError("no kernel")

    monkeypatch.setattr(values, "differing", unable)
    found = compared(tmp_path, matched_table())
    assert found.verdict is Verdict.NOT_RUN
    assert "from row 0 on, pyarrow cannot compare the values: no kernel" in found.detail
