"""The same table by each writer, as output and as input: one verdict, each difference known."""

from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.against_input.columns import ColumnChanges
from gem_core.audit.against_input.values import ValueFacts
from tests.audit.build import audited, input_table, write_bytes
from tests.audit.writers.make import FOLDER
from tests.audit.writers.table import TYPES, UNKNOWN_TO_SPARK
from tests.audit.writers.written import LACKS, WRITERS, written

OTHER_TYPES = {
    "polars": {"time": "ns"},  # polars has times of nanoseconds alone
    "pyarrow-bare": {"uint32": "int64"},  # version 1 of the format had none in 32 bits
    "spark": {"uint8": "int16", "uint16": "int32", "uint32": "int64", "uint64": "decimal"},
}
"""Where a writer has another Parquet type than the others. INT96 and lists of two levels are not
among them."""

NO_NULL = {"fastparquet": {"float32", "float64"}}
"""pandas has NaN for null, and fastparquet writes NaN as null: the two get mixed."""


def expected(output: str, input_: str) -> dict[str, set[str]]:
    """The failed checks, and the columns that they name."""
    has = {writer: TYPES.keys() - LACKS.get(writer, set()) for writer in (output, input_)}
    before, after = (OTHER_TYPES.get(writer, {}) for writer in (input_, output))
    both = has[output] & has[input_]
    changed = {name for name in both if before.get(name) != after.get(name)}
    wider = {
        name for name in changed if name not in before
    }  # nothing holds a wider type but itself
    nulls = (NO_NULL.get(output, set()) ^ NO_NULL.get(input_, set())) & both
    found = {
        "input_columns_kept": has[input_] - has[output],
        "no_extra_columns": has[output] - has[input_],
        "input_types_not_widened": wider,
        "input_types_kept": changed - wider,
        "input_values_kept": nulls,
    }
    return {name: columns for name, columns in found.items() if columns}


@pytest.mark.parametrize(("output", "input_"), [*product(WRITERS, WRITERS)])
def test_the_same_table_has_the_same_verdict(tmp_path: Path, output: str, input_: str) -> None:
    report = audited(
        tmp_path,
        write_bytes(tmp_path, written(output, matched=True)),
        input_=write_bytes(tmp_path, written(input_, matched=False), "roads.parquet"),
        with_values=True,
    )
    wanted = expected(output, input_)
    assert report.failed() == wanted.keys()
    details = {line.name: line.judgement.detail for line in report.checks}
    for name, columns in wanted.items():
        named = details[name].partition(" rows: ")[2] or details[name]
        named = named.partition("; columns that cannot")[0]
        assert {part.split(":")[0].split(" in ")[0] for part in named.split(", ")} >= columns
    # What could be compared was compared, and is the same.
    assert report.facts.values
    assert report.facts.values.rows == 12
    assert set(report.facts.values.columns) == wanted.get("input_values_kept", set())
    left_out = wanted.get("input_types_kept", set()) | wanted.get("input_columns_kept", set())
    assert set(report.facts.values.left_out_columns) == left_out


@pytest.mark.parametrize("writer", [*WRITERS, "spark_legacy", "clickhouse", "datafusion"])
def test_each_writers_own_output_is_valid(tmp_path: Path, writer: str) -> None:
    output = write_bytes(tmp_path, written(writer, matched=True))
    input_ = write_bytes(tmp_path, written(writer, matched=False), "roads.parquet")
    report = audited(tmp_path, output, input_=input_, with_values=True)
    assert report.outcome == "valid"
    assert report.facts.values == ValueFacts(rows=12)


@pytest.mark.parametrize(
    ("output", "input_"),
    [("spark_legacy", "spark"), ("spark", "spark_legacy"), ("datafusion", "pyarrow")],
)
def test_layouts_of_one_type_are_equal(tmp_path: Path, output: str, input_: str) -> None:
    """Lists of two and of three levels, decimals as bytes and as integers, each encoding."""
    source = write_bytes(tmp_path, written(input_, matched=False), "roads.parquet")
    matched = write_bytes(tmp_path, written(output, matched=True))
    report = audited(tmp_path, matched, input_=source, with_values=True)
    assert report.outcome == "valid"
    assert report.facts.values == ValueFacts(rows=12)


NAME, UTC = " ('bytes_by_name')", "timestamp[us, tz=UTC]"  # arrow shows a map's own name
EVENTS = "list<element: struct<at: {}, count: {}>>"


def test_what_spark_makes_of_types_that_it_lacks_is_wider(tmp_path: Path) -> None:
    output = write_bytes(tmp_path, (FOLDER / "spark_wider_matched.parquet").read_bytes())
    input_ = input_table(**UNKNOWN_TO_SPARK)
    report = audited(tmp_path, output, input_=input_, with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert report.facts.input.columns == ColumnChanges(
        widened=(
            "no_values: null -> int32",
            "fixed_bytes: fixed_size_binary[16] -> binary",
            "milliseconds: timestamp[ms, tz=UTC] -> timestamp[us] (INT96)",
            "uint64: uint64 -> decimal128(20, 0)",
            "empty_lists: list<element: null> -> list<element: int32>",
            f"bytes_by_name: map<string, fixed_size_binary[2]{NAME}> -> map<string, binary{NAME}>",
            f"events: {EVENTS.format(UTC, 'uint8')} -> {EVENTS.format('timestamp[us]', 'int16')}",
        )
    )
    assert report.facts.values == ValueFacts(rows=12)


@pytest.mark.parametrize("name", [*UNKNOWN_TO_SPARK])
def test_another_value_of_a_wider_type_is_found(tmp_path: Path, name: str) -> None:
    output = write_bytes(tmp_path, (FOLDER / "spark_wider_matched.parquet").read_bytes())
    values = UNKNOWN_TO_SPARK[name]
    others = values.take(pa.array([0, 1, 2, 4, *range(4, 12)]))
    input_ = input_table(**UNKNOWN_TO_SPARK | {name: others})
    report = audited(tmp_path, output, input_=input_, with_values=True)
    assert report.facts.values
    assert report.facts.values.differing.count == (not others.equals(values))


WORDS = {
    "missing": "input_columns_kept",
    "type": "input_types_kept",
    "wider": "input_types_not_widened",
    "extra": "no_extra_columns",
    "NaN": "input_values_kept",
}


def test_the_published_table_is_true() -> None:
    text = (Path(__file__).parents[2] / "docs" / "writers.md").read_text("utf-8")
    table = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    (_, *inputs), _, *outputs = table[: len(WRITERS) + 2]
    assert [*WRITERS] == inputs == [row[0] for row in outputs]
    for writer, *cells in outputs:
        for input_, cell in zip(inputs, cells, strict=True):
            words = [] if cell == "valid" else cell.split(", ")
            assert {WORDS[word] for word in words} == expected(writer, input_).keys()
