"""Good files of other writers are judged by what Parquet says; our limits are told as ours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from gem_core.audit.arrow.types import widens
from gem_core.audit.judging.report import Report
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.reading.source import FileSource, open_file
from tests.audit import bombs
from tests.audit.bombs import CODEC, GROUP_CHUNKS, NAME, SCHEMA, STATISTICS, chunk, groups
from tests.audit.build import (
    ROWS,
    audited,
    changed,
    gers,
    input_table,
    matched_table,
    write,
    write_bytes,
)
from tests.audit.encrypted import encrypted
from tests.audit.thrift import BINARY, BYTE, I32, I64, STRUCT, Struct
from tests.parquet_files import parquet_bytes

INPUT = ["id", "is_navigable", "geometry", "extra"]
FIELDS = {"gers_id", "match_confidence", "match_status", "id"}


def detail(report: Report, name: str) -> str:
    (line,) = (line for line in report.checks if line.name == name)
    return line.judgement.detail


def forged(
    folder: Path, change: Callable[[Struct], object], table: pa.Table | None = None
) -> FileSource:
    """A file of the table whose footer was changed."""
    data = parquet_bytes(matched_table() if table is None else table)
    return write_bytes(folder, bombs.with_footer(change, data))


@pytest.mark.parametrize("column", sorted(FIELDS))
def test_an_encrypted_column_of_the_checks_is_named(tmp_path: Path, column: str) -> None:
    report = audited(
        tmp_path, encrypted(tmp_path, matched_table(), column, "roads_matched.parquet")
    )
    assert (str(report.outcome), {*report.failed()}) == ("not_audited", {"auditable"})
    assert detail(report, "auditable") == f"{column} is encrypted"


def test_another_encrypted_column_harms_nothing(tmp_path: Path) -> None:
    output = encrypted(tmp_path, matched_table(), "geometry", "roads_matched.parquet")
    report = audited(tmp_path, output, with_values=True)
    assert report.outcome == "valid"
    assert detail(report, "input_values_kept") == "columns that cannot be compared: geometry"


@pytest.mark.parametrize("column", ["id", "geometry"])
def test_an_encrypted_input_fails_nothing(tmp_path: Path, column: str) -> None:
    input_ = encrypted(tmp_path, input_table(), column, "roads.parquet")
    report = audited(tmp_path, matched_table(), input_=input_, with_values=True)
    assert report.outcome == "valid"
    if column == "id":
        assert report.facts.input.note == "the input's ids cannot be compared: id is encrypted"
    else:
        assert detail(report, "input_values_kept") == "columns that cannot be compared: geometry"


def test_an_encrypted_footer_says_nothing_about_the_file(tmp_path: Path) -> None:
    name = "roads_matched.parquet"
    source = encrypted(tmp_path, matched_table(), "geometry", name, open_footer=False)
    report = audited(tmp_path, source)
    assert (str(report.outcome), {*report.failed()}) == ("not_audited", {"footer_not_encrypted"})
    assert not report.is_read


@pytest.mark.parametrize("statistics", [{5: (BINARY, b""), 6: (BINARY, b"")}, {5: (BINARY, b"x")}])
def test_statistics_of_the_wrong_length_are_passed_over(tmp_path: Path, statistics: Struct) -> None:
    def change(footer: Struct) -> None:
        for name in FIELDS:
            chunk(footer, name)[STATISTICS] = (STRUCT, statistics)

    assert audited(tmp_path, forged(tmp_path, change)).outcome == "valid"


@pytest.mark.parametrize(("number", "name"), [(3, "LZO"), (99, "codec 99")])
def test_a_codec_that_pyarrow_lacks_is_named(tmp_path: Path, number: int, name: str) -> None:
    source = forged(
        tmp_path, lambda footer: chunk(footer, "gers_id").update({CODEC: (I32, number)})
    )
    report = audited(tmp_path, source)
    assert (str(report.outcome), {*report.failed()}) == ("not_audited", {"auditable"})
    assert f"gers_id is compressed with {name}" in detail(report, "auditable")
    other = forged(
        tmp_path, lambda footer: chunk(footer, "geometry").update({CODEC: (I32, number)})
    )
    assert audited(tmp_path, other).outcome == "valid"


HINT = 5
"""Key and value metadata of the FileMetaData; `ARROW:schema` is there."""


def by_duckdb(folder: Path, table: pa.Table) -> FileSource:
    """An output with delta encodings."""
    with duckdb.connect() as connection:
        connection.register("t", table)
        path = folder / "roads_matched.parquet"
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet, PARQUET_VERSION V2)")
    return open_file(path)


BILLION = 10**9


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([-2 * BILLION, 2 * BILLION, *range(10)], "delta bit width larger"),
        ([2 * BILLION, *range(-2 * BILLION, -2 * BILLION + 11)], "InitBlock EOF"),
    ],
)
def test_deltas_of_more_than_32_bits_are_a_limit(
    tmp_path: Path, numbers: list[int], said: str
) -> None:
    """DuckDB, Polars and fastparquet read them."""
    values = pa.array(numbers, pa.int32())
    output = by_duckdb(tmp_path, matched_table(extra=values))
    report = audited(tmp_path, output, input_=input_table(extra=values), with_values=True)
    assert report.outcome == "valid"
    assert said in detail(report, "input_values_kept")
    output = by_duckdb(tmp_path, matched_table(id=values))
    report = audited(tmp_path, output, input_=input_table(id=values))
    assert (str(report.outcome), {*report.failed()}) == ("not_audited", {"auditable"})
    assert said in detail(report, "auditable")


def test_a_hint_that_arrow_cannot_read_harms_nothing(tmp_path: Path) -> None:
    def change(footer: Struct) -> None:
        (pair,) = (pair for pair in footer[HINT][1][1] if pair[1][1] == b"ARROW:schema")
        pair[2] = (BINARY, pair[2][1].rstrip(b"=")[:-1])

    assert audited(tmp_path, forged(tmp_path, change)).outcome == "valid"


def element(footer: Struct, column: str) -> Struct:
    """The schema's element of a column."""
    (found,) = (one for one in footer[SCHEMA][1][1] if one[NAME][1] == column.encode())
    typed: Struct = found
    return typed


def test_a_column_for_which_pyarrow_has_no_type_harms_nothing(tmp_path: Path) -> None:
    """An integer of 128 bits, in both files and in one."""

    def change(footer: Struct) -> None:
        element(footer, "big")[10] = (STRUCT, {10: (STRUCT, {1: (BYTE, 128), 2: (1, True)})})

    big = pa.array([bytes(16)] * ROWS, pa.binary(16))
    odd = bombs.with_footer(change, parquet_bytes(input_table(big=big)))
    input_ = write_bytes(tmp_path, odd, "roads.parquet")
    report = audited(tmp_path, forged(tmp_path, change, matched_table(big=big)), input_=input_)
    assert report.outcome == "valid"
    report = audited(tmp_path, matched_table(big=big), input_=input_)
    assert report.failed() == {"input_types_kept"}


@pytest.mark.parametrize(
    "annotation", [{6: (I32, 4)}, {6: (I32, 19)}, {10: (STRUCT, {4: (STRUCT, {})})}]
)
def test_enum_and_json_are_text(tmp_path: Path, annotation: Struct) -> None:
    def change(footer: Struct) -> None:
        for name in ("match_status", "geometry"):
            found = element(footer, name)
            found.pop(10, None)
            found.pop(6, None)
            found.update(annotation)

    assert audited(tmp_path, forged(tmp_path, change), with_values=True).outcome == "valid"


def test_a_summary_file_says_what_it_is(tmp_path: Path) -> None:
    def change(footer: Struct) -> None:
        for group in groups(footer):
            for one in group[GROUP_CHUNKS][1][1]:
                one[1] = (BINARY, b"part-00000.parquet")

    report = audited(tmp_path, forged(tmp_path, change))
    assert report.failed() == {"chunks_in_bounds", "rows_readable"}
    assert "this is a summary" in detail(report, "chunks_in_bounds")
    assert "'part-00000.parquet'" in detail(report, "rows_readable")


MOMENTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(ROWS)]


def moments(unit: str, zone: str | None = None) -> pa.Array:
    return pa.array([at.replace(tzinfo=None) for at in MOMENTS], pa.timestamp(unit, zone))


def list_of(kind: pa.DataType) -> pa.Array:
    return pa.array([[1.0, 2.0]] * ROWS, kind)


HINTS: dict[str, tuple[pa.Array, pa.Array]] = {
    "time zone": (moments("us", "Europe/Berlin"), moments("us", "UTC")),
    "duration": (pa.array(range(ROWS), pa.duration("us")), pa.array(range(ROWS), pa.int64())),
    "fixed list": (list_of(pa.list_(pa.float64(), 2)), list_of(pa.list_(pa.float64()))),
    "large list": (list_of(pa.large_list(pa.float64())), list_of(pa.list_(pa.float64()))),
    "list view": (list_of(pa.list_view(pa.float64())), list_of(pa.list_(pa.float64()))),
    **{
        str(kind): (pa.array(["a"] * ROWS).cast(kind), pa.array(["a"] * ROWS))
        for kind in (
            pa.large_string(),
            pa.string_view(),
            pa.dictionary(pa.int8(), pa.string()),
            pa.dictionary(pa.int32(), pa.large_string()),
        )
    },
}


@pytest.mark.parametrize("name", HINTS)
def test_what_only_a_hint_makes_different_is_one_type(tmp_path: Path, name: str) -> None:
    hinted, plain = HINTS[name]
    for ours, theirs in ((hinted, plain), (plain, hinted)):
        output, input_ = matched_table(extra=ours), input_table(extra=theirs)
        report = audited(tmp_path, output, input_=input_, with_values=True)
        assert report.outcome == "valid", report.failed()
        assert detail(report, "input_values_kept") == ""


def other(values: pa.Array) -> pa.Array:
    """The same values but for the fourth row, which has the third one's."""
    return values.take(pa.array([0, 1, 2, 2, *range(4, ROWS)]))


SIXTEEN = [bytes([n] * 16) for n in range(ROWS - 1)] + [None]
NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, None]
WIDER: dict[str, tuple[pa.Array, pa.Array]] = {
    "moments": (moments("ms"), moments("us")),
    "moments in UTC": (moments("us", "UTC"), moments("ns", "UTC")),
    "times": (pa.array(NUMBERS, pa.time32("ms")), pa.array(NUMBERS, pa.time64("us"))),
    "integers": (pa.array(NUMBERS, pa.int8()), pa.array(NUMBERS, pa.int64())),
    "floats": (pa.array(NUMBERS, pa.float32()), pa.array(NUMBERS, pa.float64())),
    "decimals": (pa.array(NUMBERS, pa.decimal128(5, 2)), pa.array(NUMBERS, pa.decimal128(9, 4))),
    "integers as decimals": (
        pa.array([2**64 - 1, *NUMBERS[1:]], pa.uint64()),
        pa.array([2**64 - 1, *NUMBERS[1:]], pa.decimal128(20, 0)),
    ),
    "bytes": (pa.array(SIXTEEN, pa.binary(16)), pa.array(SIXTEEN, pa.binary())),
}
WIDER["times"] = (WIDER["times"][0], WIDER["times"][0].cast(pa.time64("us")))


@pytest.mark.parametrize("name", WIDER)
def test_a_wider_type_is_a_warning_and_its_values_are_compared(tmp_path: Path, name: str) -> None:
    before, after = WIDER[name]
    input_ = input_table(extra=before)
    report = audited(tmp_path, matched_table(extra=after), input_=input_, with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert f"extra: {before.type} -> {after.type}" in detail(report, "input_types_not_widened")
    assert detail(report, "input_values_kept") == ""
    report = audited(tmp_path, matched_table(extra=other(after)), input_=input_, with_values=True)
    assert detail(report, "input_values_kept") == "1 of 12 rows: extra in 1"
    back = audited(tmp_path, matched_table(extra=before), input_=input_table(extra=after))
    assert back.failed() == {"input_types_kept"}


def test_any_type_is_wider_than_that_of_a_column_without_values(tmp_path: Path) -> None:
    """Parquet's UNKNOWN, as pandas writes a column of None; Spark makes int32 of it."""
    input_ = input_table(extra=pa.nulls(ROWS))
    kept = matched_table(extra=pa.nulls(ROWS, pa.int32()))
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert detail(report, "input_values_kept") == ""
    kept = changed(kept, "extra", r3=0)
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert detail(report, "input_values_kept") == "1 of 12 rows: extra in 1"
    back = audited(tmp_path, matched_table(extra=pa.nulls(ROWS)), input_=kept.select(INPUT))
    assert back.failed() == {"input_types_kept"}


def test_a_decimal_holds_integers_of_as_many_digits() -> None:
    kinds = [pa.decimal128(*each) for each in ((3, 0), (5, 2), (2, 0), (4, 2))]
    byte = pa.field("x", pa.int8())
    assert [kind for kind in kinds if widens(byte, pa.field("x", kind))] == kinds[:2]


def struct_of(**kinds: pa.DataType) -> pa.Field:
    return pa.field("x", pa.struct([*kinds.items()]))


def test_a_struct_is_wider_if_each_part_is_kept_or_wider() -> None:
    narrow = struct_of(a=pa.int8(), b=pa.string())
    wide = struct_of(a=pa.int64(), b=pa.string())
    others = (
        struct_of(a=pa.int64(), b=pa.binary()),
        struct_of(a=pa.int64(), c=pa.string()),
        struct_of(a=pa.int64()),
        pa.field("x", pa.list_(pa.int64())),
    )
    assert widens(narrow, wide)
    assert not widens(wide, narrow)
    assert not widens(narrow, narrow)
    assert not any(widens(narrow, other) for other in others)


def test_a_deeply_nested_type_is_compared_at_once() -> None:
    """A schema may have 100 levels, so the work must not double with each."""
    narrow, wide = pa.field("x", pa.int8()), pa.field("x", pa.int64())
    for _ in range(80):
        narrow, wide = struct_of(a=narrow.type), struct_of(a=wide.type)
    assert widens(narrow, wide)


@pytest.mark.parametrize("nest", [lambda one: pa.struct([("t", one)]), pa.list_])
def test_int96_below_a_column_is_either_kind_of_timestamp(
    tmp_path: Path, nest: Callable[[pa.DataType], pa.DataType]
) -> None:
    rows = [[at] if nest is pa.list_ else {"t": at} for at in MOMENTS[1:]]
    for zone in (None, "UTC"):
        values = pa.array([None, *rows], nest(pa.timestamp("us", zone)))
        input_ = int96(tmp_path, input_table(extra=values), "roads.parquet")
        report = audited(tmp_path, matched_table(extra=values), input_=input_, with_values=True)
        assert report.outcome == "valid", report.failed()
        assert detail(report, "input_values_kept") == ""
        finer = values.cast(nest(pa.timestamp("ns", zone)))
        report = audited(tmp_path, matched_table(extra=finer), input_=input_, with_values=True)
        assert report.failed() == {"input_types_not_widened"}
        assert detail(report, "input_values_kept") == "columns that cannot be compared: extra"


def test_a_moment_that_fits_no_finer_unit_is_another_value(tmp_path: Path) -> None:
    """Microseconds reach to the year 294,246, nanoseconds to 2262: there a cast wraps."""
    last = datetime(9999, 12, 31, tzinfo=UTC)
    micros = pa.array([last] * ROWS, pa.timestamp("us", "UTC"))
    wrapped = micros.cast(pa.timestamp("ns", "UTC"), safe=False)
    output, input_ = matched_table(extra=wrapped), input_table(extra=micros)
    report = audited(tmp_path, output, input_=input_, with_values=True)
    assert "input_values_kept" in report.failed()


def int96(folder: Path, table: pa.Table, name: str) -> FileSource:
    return write(folder, table, name, use_deprecated_int96_timestamps=True, store_schema=False)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_int96_is_a_timestamp_of_microseconds(tmp_path: Path, zone: str | None) -> None:
    """Spark's default; INT96 does not say whether its moments are UTC."""
    far = [datetime(1, 1, 1), datetime(9999, 12, 31), *(at.replace(tzinfo=None) for at in MOMENTS)]  # noqa: DTZ001 - Spark has no other
    values = pa.array(far[:ROWS], pa.timestamp("us"))
    input_ = int96(tmp_path, input_table(extra=values), "roads.parquet")
    kept = matched_table(extra=values.cast(pa.timestamp("us", zone)))
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert report.outcome == "valid", report.failed()
    assert detail(report, "input_values_kept") == ""
    kept = matched_table(extra=other(values))
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert detail(report, "input_values_kept") == "1 of 12 rows: extra in 1"


def test_int96_is_wider_than_milliseconds(tmp_path: Path) -> None:
    """Spark writes a moment in UTC as INT96, whatever its unit was."""
    values = moments("ms", "UTC")
    kept = matched_table(extra=values.cast(pa.timestamp("us")))
    output = int96(tmp_path, kept, "roads_matched.parquet")
    report = audited(tmp_path, output, input_=input_table(extra=values), with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert detail(report, "input_values_kept") == ""


def test_int96_beside_nanoseconds_is_not_compared(tmp_path: Path) -> None:
    input_ = int96(tmp_path, input_table(extra=moments("ns")), "roads.parquet")
    output = matched_table(extra=moments("ns"))
    report = audited(tmp_path, output, input_=input_, with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert "(INT96)" in detail(report, "input_types_not_widened")
    assert detail(report, "input_values_kept") == "columns that cannot be compared: extra"


def test_the_offending_value_is_shown(tmp_path: Path) -> None:
    output = changed(matched_table(), "gers_id", r0=gers(0) + "\n")
    (line,) = (line for line in audited(tmp_path, output).checks if line.verdict is Verdict.FAILED)
    (example,) = line.judgement.examples
    assert (line.name, example.value) == ("gers_id_format", gers(0) + r"\n")


@pytest.mark.parametrize(
    "options",
    [
        {"data_page_size": 1 << 30, "use_dictionary": False},
        {"data_page_version": "2.0", "write_page_index": True},
        {"row_group_size": 1},
        {"compression": "brotli"},
        {"compression": "lz4"},
        {"compression": "gzip"},
        {"compression": "zstd"},
        {"compression": "none"},
        {"bloom_filter_options": {"id": {"ndv": 12, "fpp": 0.01}}},
    ],
    ids=str,
)
def test_every_way_to_write_is_read(tmp_path: Path, options: dict[str, Any]) -> None:
    rows = 3_000
    output = write(tmp_path, matched_table(rows), **options)
    input_ = write(tmp_path, input_table(rows), "roads.parquet", **options)
    assert audited(tmp_path, output, input_=input_, with_values=True).failed() == {"road_count"}


def test_a_file_of_no_row_groups_has_no_rows(tmp_path: Path) -> None:
    """As Spark's `_common_metadata`."""

    def change(footer: Struct) -> None:
        footer[4][1][1].clear()
        footer[3] = (I64, 0)

    found = audited(tmp_path, forged(tmp_path, change)).failed()
    assert {"has_rows"} <= found
    assert not found & {"footer_readable", "chunks_in_bounds", "rows_readable"}
