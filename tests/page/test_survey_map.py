"""The map of a survey: every road of a small file, or a bounded sample; and why there is none."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest

from gem_core.audit.audit import audit
from gem_core.page import map_sample
from gem_core.page.make import make_page
from gem_core.page.map_sample import MAP_ROADS, RoadMap
from gem_core.page.plots import drawn_map
from gem_core.page.roads import read_road
from gem_core.page.survey import survey
from tests.audit import bombs
from tests.audit.build import PROMISES, job, matched_table, write, write_bytes
from tests.page.build import AT, good
from tests.page.surveyed import ROWS, parts, surveyed
from tests.parquet_files import parquet_bytes
from tests.wkb import wkb


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
