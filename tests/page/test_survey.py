"""The second pass: exact counts, bounded reading, one version, unusual files cause no error."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.audit import audit
from gem_core.audit.reading.source import open_file
from gem_core.errors import OutputChanged
from gem_core.page import map_sample
from gem_core.page.breakdown import MAX_COLUMNS, MAX_VALUES, ClassShare, candidates
from gem_core.page.make import make_page
from gem_core.page.map_sample import MAP_ROADS, RoadMap
from gem_core.page.plots import drawn_map
from gem_core.page.reader import ColumnReader
from gem_core.page.roads import read_road
from gem_core.page.survey import Survey, survey
from tests.audit import bombs
from tests.audit.build import PROMISES, job, matched_table, write, write_bytes
from tests.page.build import AT, good
from tests.parquet_files import footer_of, parquet_bytes
from tests.wkb import wkb

ROWS = 120


def surveyed(
    folder: Path,
    table: pa.Table,
    *,
    with_map: bool = False,
    groups: int = 50,
    marked: Sequence[int] = (),
) -> Survey:
    source = write(folder, table, row_group_size=groups)
    return survey(source, PROMISES, with_map=with_map, marked=marked)


def parts(found: Survey, column: str) -> dict[str | None, tuple[int, int]] | None:
    for breakdown in found.breakdowns:
        if breakdown.column == column:
            return {part.value: (part.rows, part.matched) for part in breakdown.parts}
    return None


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


def test_the_map_holds_every_road_of_a_small_file(tmp_path: Path) -> None:
    found = surveyed(tmp_path, good()[0], with_map=True).road_map
    assert found
    assert (len(found.matched), len(found.unmatched), found.note) == (339, 61, "")


_CATEGORIES = (pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string()))


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        *product((pa.large_string(), pa.string_view(), *_CATEGORIES), ("dictionary", "PLAIN")),
        *product((pa.large_string(), pa.string_view()), ("DELTA_BYTE_ARRAY",)),
    ],
    ids=str,
)
def test_the_map_is_drawn_of_text_however_it_is_encoded(
    tmp_path: Path, kind: pa.DataType, encoding: str
) -> None:
    """Nine of the twelve rows are matched."""
    table = matched_table(12, geometry=_of_type(["LINESTRING (1 2, 3 4)", _ELSEWHERE] * 6, kind))
    coded = {"geometry": encoding} if encoding != "dictionary" else None
    source = write(
        tmp_path, table, use_dictionary=not coded, column_encoding=coded, row_group_size=5
    )
    found = survey(source, PROMISES, with_map=True).road_map
    here, there = read_road("LINESTRING (1 2, 3 4)"), read_road(_ELSEWHERE)
    assert found == RoadMap((here, there) * 4 + (here,), (there, here, there))


def test_a_map_of_wkb_is_that_of_wkt(tmp_path: Path) -> None:
    lines = [[(4.0 + n / 100, 52.0), (4.1, 52.1), (4.2, 52.0 + n / 100)] for n in range(12)]
    texts = [f"LINESTRING ({', '.join(f'{x!r} {y!r}' for x, y in line)})" for line in lines]
    pages = [
        make_page(audit(output, job(), input_source=None), output, AT, with_map=True)
        for values in ([wkb(line) for line in lines], texts)
        for output in [write(tmp_path, matched_table(geometry=pa.array(values)))]
    ]
    maps = [page.html.partition('id="map"')[2].partition("</section>")[0] for page in pages]
    assert maps[0] == maps[1]
    assert maps[0].count("<path") >= 2
    assert [page.map_note for page in pages] == ["", ""]


def test_the_map_is_drawn_of_wkb_and_of_text_without_annotation(tmp_path: Path) -> None:
    here = [(1.0, 2.0), (3.0, 4.0)]
    values = [wkb(here), _ELSEWHERE.encode()] * 6
    source = write(tmp_path, matched_table(12, geometry=pa.array(values, pa.binary())))
    found = survey(source, PROMISES, with_map=True).road_map
    assert found
    assert found.note == ""
    assert found.matched[:2] == ((tuple(here),), read_road(_ELSEWHERE))


def test_geometry_that_cannot_be_read_takes_only_the_map(tmp_path: Path) -> None:
    data = bombs.newer_encoding(
        "geometry", parquet_bytes(matched_table(12, c=pa.array(["a"] * 12)))
    )
    found = survey(write_bytes(tmp_path, data), PROMISES, with_map=True)
    assert parts(found, "c") == {"a": (12, 9)}
    assert found.road_map
    assert found.road_map.note.startswith("the geometry cannot be read: Unknown encoding type")


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


_ELSEWHERE = "LINESTRING (5 6, 7 8)"


def _of_type(texts: list[str], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(kind):
        return pa.array(texts, kind)
    values = pa.array(texts).dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        values.indices.cast(kind.index_type), values.dictionary.cast(kind.value_type)
    )


def test_the_map_takes_no_more_than_its_share(tmp_path: Path) -> None:
    table = matched_table(3 * MAP_ROADS, matched=2 * MAP_ROADS)
    first = surveyed(tmp_path, table, with_map=True, groups=400).road_map
    assert first
    assert (len(first.matched), len(first.unmatched)) == (MAP_ROADS, MAP_ROADS)
    assert surveyed(tmp_path, table, with_map=True, groups=400).road_map == first


def test_geometry_beyond_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample is only from row groups whose geometry fits into the limit; the page says so."""
    table = good()[0]
    output = write(tmp_path, table, row_group_size=40)
    whole = survey(output, PROMISES, with_map=True)
    assert whole.road_map
    monkeypatch.setattr(map_sample, "MAP_BYTES", 10_000)
    some = survey(output, PROMISES, with_map=True)
    assert some.road_map
    roads = len(some.road_map.matched) + len(some.road_map.unmatched)
    assert 0 < roads < 400
    assert roads % 40 == 0
    assert f"{roads // 40} of 10 row groups" in some.road_map.note
    monkeypatch.setattr(map_sample, "MAP_BYTES", 100)
    none = survey(output, PROMISES, with_map=True).road_map
    assert none
    assert (none.matched, none.unmatched) == ((), ())
    assert "every row group has more geometry" in none.note


def test_without_a_map_no_geometry_is_read(tmp_path: Path) -> None:
    noise = pa.array([f"LINESTRING (1 2, {n * 2654435761 % 180} 3)" * 500 for n in range(ROWS)])
    output = write(tmp_path, matched_table(ROWS, geometry=noise), compression="none")
    assert output.size_bytes > 1_000_000
    assert survey(output, PROMISES, with_map=False).bytes_read < 200_000


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


def test_invalid_geometries_are_counted(tmp_path: Path) -> None:
    geometry = pa.array(["LINESTRING (1 2, 3 4)", "POINT (1 2)", None, "x" * 9] * 3)
    found = surveyed(tmp_path, matched_table(12, geometry=geometry), with_map=True).road_map
    assert found
    assert len(found.matched) + len(found.unmatched) == 3
    assert found.note == "9 of the sampled geometries cannot be drawn: null, or not a valid line"


@pytest.mark.parametrize(
    ("geometry", "note"), [(None, "no column geometry"), (pa.array([1] * 12), "int64")]
)
def test_no_wkt_no_map(tmp_path: Path, geometry: pa.Array | None, note: str) -> None:
    found = surveyed(tmp_path, matched_table(12, geometry=geometry), with_map=True).road_map
    assert found
    assert note in found.note


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
def test_text_coded_by_delta(tmp_path: Path, kind: pa.DataType, encoding: str) -> None:
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


def test_marked_rows_are_on_the_map_though_they_are_not_in_the_sample(tmp_path: Path) -> None:
    table, rows = good()[0], (0, 7, 333)
    found = surveyed(tmp_path, table, with_map=True, groups=40, marked=rows).road_map
    assert found
    lines = table["geometry"].to_pylist()
    assert found.marked == tuple(read_road(lines[row]) for row in rows)
    drawn = drawn_map(replace(found, matched=(), unmatched=()))
    assert len(drawn.marked) == len(rows)
    assert "3 roads whose GERS id is not in Overture or elsewhere" in drawn.description


def test_marked_rows_take_no_more_geometry_than_a_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_sample, "MAP_BYTES", 0)
    found = surveyed(tmp_path, good()[0], with_map=True, marked=(0,)).road_map
    assert found
    assert found.marked == ()
