"""The lines of an input: every number is read, each broken rule is named, odd places are told."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.preflight.extent import Extent
from gem_core.preflight.land import is_land
from gem_core.preflight.lines import Lines, read_lines
from gem_core.preflight.road_profile import RoadProfiler
from gem_core.preflight.road_rules import RoadRule

NUMBERS = st.one_of(
    st.floats(-200, 200).map(repr),
    st.integers(-200, 200).map(str),
    st.sampled_from(["5.", ".5", "+5", "1e1", "-2E-1", "0", "180", "-90"]),
)
BLANKS = st.sampled_from([" ", "  ", "\t", "\n"])


def wkt(points: Sequence[tuple[str, ...]], blank: str, tag: str) -> str:
    return f"{tag}{blank}({(',' + blank).join(blank.join(point) for point in points)})"


def lines_of(
    size: int, tags: Sequence[str]
) -> st.SearchStrategy[tuple[str, list[tuple[str, ...]]]]:
    points = st.lists(st.tuples(*[NUMBERS] * size), min_size=2, max_size=5)
    return st.builds(
        lambda some, blank, tag: (wkt(some, blank, tag), some),
        points,
        BLANKS,
        st.sampled_from(tags),
    )


LINES = st.one_of(
    lines_of(2, ["LINESTRING", "linestring"]),
    lines_of(3, ["LINESTRING", "LINESTRING Z", "LINESTRINGM"]),
    lines_of(4, ["LINESTRING", "LineString ZM"]),
)


@given(st.lists(LINES, max_size=8))
def test_every_number_is_read(lines: list[tuple[str, list[tuple[str, ...]]]]) -> None:
    found = read_lines(pa.array([text for text, _ in lines], pa.string()))
    assert sorted(found.rows.tolist()) == list(range(len(lines)))
    for place, row in enumerate(found.rows.tolist()):
        points = [(float(point[0]), float(point[1])) for point in lines[row][1]]
        start, end = found.starts[place : place + 2].tolist()
        assert list(zip(found.x[start:end], found.y[start:end], strict=True)) == points
        outside = any(abs(x) > 180 or abs(y) > 90 for x, y in points)
        assert rules(found, row) == {
            rule
            for rule, is_broken in {
                RoadRule.COORDINATES_IN_RANGE: outside,
                RoadRule.COORDINATES_TWO: len(lines[row][1][0]) > 2,
                RoadRule.GEOMETRY_LENGTH: len(set(points)) == 1,
            }.items()
            if is_broken
        }


def rules(lines: Lines, row: int) -> set[RoadRule]:
    return {rule for rule, mask in lines.broken.items() if mask[row]}


@given(st.lists(st.one_of(st.text(alphabet="LINESTRGMUPO ()0123456789.,-+eEZn\n\0é", max_size=40),
                          st.none()), max_size=6))  # fmt: skip
def test_any_text_breaks_a_rule_or_is_a_line(texts: list[str | None]) -> None:
    found = read_lines(pa.array(texts, pa.string()))
    of_form = {
        RoadRule.GEOMETRY_PRESENT, RoadRule.GEOMETRY_LINESTRING, RoadRule.GEOMETRY_WELL_FORMED,
        RoadRule.GEOMETRY_TWO_POINTS, RoadRule.COORDINATES_FINITE,
    }  # fmt: skip
    for row in range(len(texts)):
        broken = rules(found, row) & of_form
        assert len(broken) <= 1
        assert bool(broken) != (row in found.rows) or broken == {RoadRule.COORDINATES_FINITE}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("LINESTRING (4 52, 5 53", RoadRule.GEOMETRY_WELL_FORMED),
        ("LINESTRING (4,52 5,53)", RoadRule.GEOMETRY_WELL_FORMED),
        ("LINESTRING (4 52, 5 53) x", RoadRule.GEOMETRY_WELL_FORMED),
        ("LINESTRING (4 52, 5)", RoadRule.GEOMETRY_WELL_FORMED),
        ("LINESTRING Z (4 52, 5 53)", RoadRule.GEOMETRY_WELL_FORMED),
        ("LINESTRING (4 52 1, 5 53)", RoadRule.GEOMETRY_WELL_FORMED),
        ("LINESTRING (--4 52, 5 53)", RoadRule.GEOMETRY_WELL_FORMED),
        ("LINESTRING Z EMPTY", RoadRule.GEOMETRY_TWO_POINTS),
        ("LINESTRING ()", RoadRule.GEOMETRY_TWO_POINTS),
        ("LINESTRING (4 52 1)", RoadRule.GEOMETRY_TWO_POINTS),
        ("LINESTRING (NaN 52, 5 53)", RoadRule.COORDINATES_FINITE),
        ("LINESTRING (4 52, 5 -inf)", RoadRule.COORDINATES_FINITE),
        ("LINEARRING (4 52, 5 53, 4 52)", RoadRule.GEOMETRY_LINESTRING),
        ("LINESTRINGS (4 52, 5 53)", RoadRule.GEOMETRY_LINESTRING),
        ("hello", RoadRule.GEOMETRY_LINESTRING),
    ],
)
def test_each_broken_rule_is_named_for_its_row(text: str, rule: RoadRule) -> None:
    good = "LINESTRING (4 52, 5 53)"
    found = read_lines(pa.array([good, text, good]))
    assert rules(found, 1) == {rule}
    assert not rules(found, 0)
    assert not rules(found, 2)


def test_text_that_is_no_utf8_is_no_line() -> None:
    broken = pa.array([b"LINESTRING (4 52, 5 53)\xff", b"\xff"]).cast(pa.string(), safe=False)
    found = read_lines(broken)
    assert not len(found.rows)


@pytest.mark.parametrize(
    ("place", "longitude", "latitude", "land"),
    [
        ("Amsterdam", 4.9, 52.37, True),
        ("Amsterdam, axes swapped", 52.37, 4.9, False),
        ("Sydney", 151.2, -33.86, True),
        ("the middle of the Atlantic", -40, 30, False),
        ("null island", 0, 0, False),
        ("the date line in Fiji", 180, -16.8, True),
        ("the south pole", 0, -90, True),
        ("the north pole", -180, 90, False),
    ],
)
def test_known_places_are_on_land_or_in_the_sea(
    place: str,
    longitude: float,
    latitude: float,
    land: bool,  # noqa: FBT001 - from a table
) -> None:
    assert is_land(np.array([longitude]), np.array([latitude])).tolist() == [land], place


def extent_of(*points: tuple[float, float]) -> Extent:
    extent = Extent()
    for x, y in points:  # a batch for each
        extent.add(read_lines(pa.array([f"LINESTRING ({x!r} {y!r}, {x!r} {y!r})"])))
    return extent


def test_the_extent_is_of_all_finite_points() -> None:
    extent = extent_of((4.5, 52.25), (5.5, 51.75), (math.inf, 0.0))
    assert (extent.west, extent.south, extent.east, extent.north) == (4.5, 51.75, 5.5, 52.25)


def test_metres_of_other_projections_are_not_taken_for_web_mercator() -> None:
    said = extent_of((32_500_000.0, 5_800_000.0)).reason
    assert "metres of a projection" in said
    assert "EPSG:3857" not in said


def test_swapped_axes_are_only_told_when_nearly_all_roads_show_them() -> None:
    swapped = [(52.37, 4.9)] * 8
    assert extent_of(*swapped).swap_problem
    assert extent_of(*swapped, (-30.0, 40.0)).swap_problem == ""  # 8 of 9 would be on land
    assert extent_of((8.7, 50.1)).swap_problem == ""


def test_a_few_roads_at_sea_are_no_problem() -> None:
    assert not extent_of((4.9, 52.37), (4.8, 52.3), (-40.0, 30.0)).sea_problem
    assert extent_of((-40.0, 30.0), (-41.0, 30.0)).sea_problem == "100% are in the sea"


@pytest.mark.parametrize(
    ("point", "outside"),
    [("180 90", False), ("-180 -90", False), ("180.001 0", True), ("-180.001 0", True),
     ("0 90.001", True), ("0 -90.001", True)],
)  # fmt: skip
def test_the_ends_of_the_range_belong_to_it(point: str, outside: bool) -> None:  # noqa: FBT001 - from a table
    found = read_lines(pa.array([f"LINESTRING (4 52, {point})"]))
    assert bool(found.broken[RoadRule.COORDINATES_IN_RANGE][0]) == outside


@pytest.mark.parametrize("batch_rows", [1, 7, 250, 5_000])
def test_the_sample_does_not_depend_on_the_batches(batch_rows: int) -> None:
    rows = 5_000
    lines = pa.array([f"LINESTRING (4 52, 5 {52 + n / rows})" for n in range(rows)])
    profiler = RoadProfiler(None, "geometry", None, rows)
    for start in range(0, rows, batch_rows):
        profiler.add(pa.record_batch({"geometry": lines[start : start + batch_rows]}))
    sample = profiler.profile().sample["fit"]
    assert [line[0][1][1] for line in sample] == [52 + n / rows for n in range(0, rows, 8)]
