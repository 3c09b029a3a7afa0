"""Good files of other writers are judged by what Parquet says; our limits are told as ours."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.reading.source import FileSource, open_file
from tests.audit import bombs
from tests.audit.bombs import CODEC, GROUP_CHUNKS, STATISTICS, chunk, groups
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
from tests.audit.lines import detail
from tests.audit.other_files import FIELDS, HINT, element, forged
from tests.audit.thrift import BINARY, BYTE, I32, STRUCT, Struct
from tests.parquet_files import parquet_bytes


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
