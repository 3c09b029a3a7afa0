"""The second pass: exact counts, bounded reading, one version, unusual files cause no error."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.reading.source import open_file
from gem_core.errors import OutputChanged
from gem_core.page.breakdown import MAX_COLUMNS, MAX_VALUES, ClassShare, candidates
from gem_core.page.reader import ColumnReader
from gem_core.page.survey import survey
from tests.audit import bombs
from tests.audit.build import PROMISES, matched_table, write, write_bytes
from tests.page.surveyed import ROWS, parts, surveyed
from tests.parquet_files import footer_of, parquet_bytes


def test_shares_are_exact_over_row_groups(tmp_path: Path) -> None:
    """The first 90 of 120 rows are matched."""
    classes = ["a", None, ""] * 40
    table = matched_table(ROWS, road_class=pa.array(classes), lanes=pa.array([1, 2] * 60))
    found = surveyed(tmp_path, table)
    assert parts(found, "road_class") == {"a": (40, 30), None: (40, 30), "": (40, 30)}
    assert parts(found, "lanes") == {"1": (60, 45), "2": (60, 45)}
    assert parts(found, "is_navigable") == {"true": (120, 90)}


def test_most_rows_come_first(tmp_path: Path) -> None:
    table = matched_table(12, c=pa.array(["x"] * 2 + ["y"] * 6 + ["z"] * 4))
    (found,) = (b for b in surveyed(tmp_path, table).breakdowns if b.column == "c")
    assert found.parts == (ClassShare("y", 6, 6), ClassShare("z", 4, 1), ClassShare("x", 2, 2))


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
    ],
    ids=str,
)
def test_text_however_it_is_encoded(tmp_path: Path, kind: pa.DataType) -> None:
    values = pa.array(["a", "b", None] * 40).cast(kind)
    status = pa.array(["matched"] * 90 + ["unmatched"] * 30).cast(kind)
    found = surveyed(tmp_path, matched_table(ROWS, c=values, match_status=status))
    assert parts(found, "c") == {"a": (40, 30), "b": (40, 30), None: (40, 30)}


def test_values_that_are_no_utf8_are_shown_all_the_same(tmp_path: Path) -> None:
    raw = pa.array([b"\xff", b"a"] * 60, pa.binary())
    broken = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    assert parts(surveyed(tmp_path, matched_table(ROWS, c=broken)), "c") == {
        "\ufffd": (60, 45),
        "a": (60, 45),
    }


def test_a_column_of_many_values_is_no_class(tmp_path: Path) -> None:
    many = [str(n % (MAX_VALUES + 1)) for n in range(ROWS)]
    few = [str(n % MAX_VALUES) for n in range(ROWS)]
    found = surveyed(tmp_path, matched_table(ROWS, many=pa.array(many), few=pa.array(few)))
    assert parts(found, "many") is None
    assert len(parts(found, "few") or ()) == MAX_VALUES


def test_hardly_fewer_values_than_rows_are_no_class(tmp_path: Path) -> None:
    found = surveyed(tmp_path, matched_table(12, c=pa.array([str(n % 7) for n in range(12)])))
    assert parts(found, "c") is None


def test_of_many_columns_the_first_are_read(tmp_path: Path) -> None:
    extra = {f"flag_{n}": pa.array([True, False] * 60) for n in range(40)}
    assert len(surveyed(tmp_path, matched_table(ROWS, **extra)).breakdowns) == MAX_COLUMNS


def test_of_very_many_columns_the_names_are_counted_once() -> None:
    """Counted for each column, they would take twenty minutes."""
    names = [f"c{number}" for number in range(100_000)]
    schema = pa.schema([(name, pa.int64()) for name in ["is_navigable", *names, names[-1]]])
    found = footer_of(parquet_bytes(matched_table()))
    assert candidates(schema, found, PROMISES.added) == ("is_navigable",)


def test_columns_that_are_wide_on_disk_are_not_read(tmp_path: Path) -> None:
    """A megabyte of plain text beside the four narrow columns."""
    wide = pa.array([str(n * 2654435761 % 2**32) * 1000 for n in range(ROWS)])
    output = write(tmp_path, matched_table(ROWS, wide=wide), compression="none")
    assert output.size_bytes > 1_000_000
    assert survey(output, PROMISES, with_map=False).bytes_read < 200_000


def test_unmatched_confidences_are_binned_as_the_reports(tmp_path: Path) -> None:
    confidences = [None] * 4 + [0.0, 0.049, 0.05, 0.6999999, 1.0, float("nan"), -1.0, 7.0]
    table = matched_table(12, matched=0, match_confidence=pa.array(confidences, pa.float64()))
    found = surveyed(tmp_path, table).unmatched_histogram
    assert {place: count for place, count in enumerate(found) if count} == {
        0: 2,
        1: 1,
        14: 1,
        19: 1,
    }


def test_a_column_that_cannot_be_read_takes_only_the_breakdowns(tmp_path: Path) -> None:
    data = bombs.newer_encoding("c", parquet_bytes(matched_table(12, c=pa.array(["a"] * 12))))
    found = survey(write_bytes(tmp_path, data), PROMISES, with_map=True)
    assert (found.note, found.breakdowns) == ("", ())
    assert "c" in found.not_shown
    assert sum(found.unmatched_histogram) == 0
    assert found.road_map
    assert len(found.road_map.matched) == 9


def test_row_groups_without_rows_are_not_missed(tmp_path: Path) -> None:
    table = matched_table(12)
    with pq.ParquetWriter(tmp_path / "o.parquet", table.schema) as writer:
        for part in (table[:0], table[:6], table[:0], table[6:]):
            writer.write_table(part)
    found = survey(open_file(tmp_path / "o.parquet"), PROMISES, with_map=True).road_map
    assert found
    assert (len(found.matched), found.note) == (9, "")


@pytest.mark.slow
def test_a_long_value_in_every_row_is_held_once(tmp_path: Path) -> None:
    """Spelled out, these 2,000 rows would take 200 MB in one batch, twice."""
    long = "x" * 100_000
    table = matched_table(2_000, geometry=pa.array([long] * 2_000).dictionary_encode())
    table = table.append_column("c", table.column("geometry"))
    output = write(tmp_path, table, store_schema=False, dictionary_pagesize_limit=4 << 20)
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    reader = ColumnReader(output)
    for batch in reader.batches(["geometry", "c"], [0], as_dictionary=["geometry", "c"]):
        assert pool.bytes_allocated() - before < 32 << 20
        assert batch.num_rows == 2_000
    found = survey(output, PROMISES, with_map=True)
    assert found.road_map
    # 1,000 of the 1,500 matched rows, and all 500 others.
    assert (
        found.road_map.note
        == "1500 of the sampled geometries cannot be drawn: null, or not a valid line"
    )


def test_an_empty_file_has_nothing_to_show(tmp_path: Path) -> None:
    found = surveyed(tmp_path, matched_table(12).slice(0, 0), with_map=True)
    assert (found.breakdowns, sum(found.unmatched_histogram)) == ((), 0)
    assert found.road_map
    assert found.road_map.note == "there are no rows"


def test_without_a_status_there_is_nothing_to_count(tmp_path: Path) -> None:
    assert "match_status" in surveyed(tmp_path, matched_table(12, match_status=None)).note


def test_broken_data_is_a_note(tmp_path: Path) -> None:
    good_file = write(tmp_path, matched_table(3_000), compression="none")
    data = bytearray(good_file.path.read_bytes())
    data[4 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4)
    assert (
        "cannot be read" in survey(write_bytes(tmp_path, bytes(data)), PROMISES, with_map=True).note
    )
    assert "cannot be read" in survey(write_bytes(tmp_path, b"PAR1"), PROMISES, with_map=True).note


def test_another_version_is_an_error(tmp_path: Path) -> None:
    output = write(tmp_path, matched_table(12))
    write_bytes(tmp_path, b"something else")
    with pytest.raises(OutputChanged):
        survey(output, PROMISES, with_map=True)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("encoding", ["DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"])
def test_text_coded_by_delta_is_counted(tmp_path: Path, kind: pa.DataType, encoding: str) -> None:
    """It cannot be read as a dictionary."""
    values = pa.array(["a", "b", None] * 40).cast(kind)
    status = pa.array(["matched"] * 90 + ["unmatched"] * 30).cast(kind)
    table = matched_table(ROWS, c=values, match_status=status)
    coded = dict.fromkeys(("c", "match_status", "geometry"), encoding)
    source = write(tmp_path, table, use_dictionary=False, column_encoding=coded)
    found = survey(source, PROMISES, with_map=True)
    assert found.note == ""
    assert parts(found, "c") == {"a": (40, 30), "b": (40, 30), None: (40, 30)}
    assert found.road_map
    assert len(found.road_map.matched) == 90
