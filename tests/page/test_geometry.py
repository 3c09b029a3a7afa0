"""Lines in WKT and WKB are read strictly and drawn where they belong."""

import math
import struct

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.page.geometry import MAX_HEIGHT, WIDTH, frame, path, scale_bar
from gem_core.page.roads import (
    MAX_POINTS,
    MAX_ROAD_POINTS,
    RoadsUnreadable,
    geometry_problem,
    read_road,
)
from tests.wkb import multi, wkb


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LINESTRING (4.5 52, 5 53)", (((4.5, 52), (5, 53)),)),
        ("  linestring(4.5 52,5 53) ", (((4.5, 52), (5, 53)),)),
        ("LINESTRING Z (4.5 52 1, 5 53 2)", (((4.5, 52), (5, 53)),)),
        ("LINESTRING ZM(4 52 1 2, 5 53 2 3)", (((4, 52), (5, 53)),)),
        ("SRID=4326;LINESTRING (-4 -52, 5e0 53)", (((-4, -52), (5, 53)),)),
        (
            "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))",
            (((1, 2), (3, 4)), ((5, 6), (7, 8))),
        ),
    ],
)
def test_a_road_as_text_is_read_or_refused(text: str, expected: object) -> None:
    assert read_road(text) == expected


LINE = [(4.5, 52.0), (5.0, 53.0)]


HEIGHTS = [(*point, 7.0) for point in LINE]


@pytest.mark.parametrize(
    "data",
    [
        wkb(LINE),
        wkb(LINE, order=">"),
        wkb(HEIGHTS, 1002),
        wkb(HEIGHTS, 2002),
        wkb([(*point, 8.0) for point in HEIGHTS], 3002),
        wkb(HEIGHTS, 2 | 1 << 31),
        wkb([(*point, 8.0) for point in HEIGHTS], 2 | 3 << 30),
        wkb(LINE, 2 | 1 << 29, srid=struct.pack("<I", 4326)),
        multi(wkb(LINE)),
    ],
)
def test_lines_of_wkb_are_read_as_those_of_wkt(data: bytes) -> None:
    assert read_road(data) == read_road("LINESTRING (4.5 52, 5 53)") == (tuple(LINE),)


def test_lines_of_wkb_are_thinned_as_those_of_wkt() -> None:
    points = [(number / 100, 1.0) for number in range(1000)]
    text = ", ".join(f"{longitude} 1" for longitude, _ in points)
    assert read_road(wkb(points)) == read_road(f"LINESTRING ({text})")
    lines = [wkb(points[at : at + 3], order="<>"[at % 2]) for at in range(300)]
    assert sum(map(len, read_road(multi(*lines)))) <= MAX_ROAD_POINTS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1",
        wkb(LINE)[:-1],
        wkb(LINE, 3),
        wkb(LINE[:1]),
        wkb([(181.0, 1.0), *LINE]),
        wkb([(math.nan, 1.0), *LINE]),
        struct.pack("<BII", 1, 2, 2**32 - 1),
        struct.pack("<BII", 1, 5, 2**32 - 1),
        multi(),
        multi(wkb(LINE, 1)),
    ],
)
def test_any_other_wkb_is_not_drawn(data: bytes) -> None:
    with pytest.raises(RoadsUnreadable):
        read_road(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_road_or_unreadable(data: bytes) -> None:
    try:
        road = read_road(data)
    except RoadsUnreadable:
        return
    assert all(len(line) > 1 for line in road)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "POINT (1 2)",
        "LINESTRING EMPTY",
        "LINESTRING (1 2)",
        "LINESTRING (1 2, 3)",
        "LINESTRING (nan 2, 3 4)",
        "LINESTRING (181 2, 3 4)",
        "LINESTRING (1 91, 3 4)",
        "LINESTRING (1 2, 3 4",
        "<script>",
        "LINESTRING (" + "1 2, " * 100_000 + "1 2)",
        " " * 150_000 + "X",
    ],
)
def test_anything_else_is_not_drawn(text: str) -> None:
    with pytest.raises(RoadsUnreadable):
        read_road(text)


def test_long_lines_keep_both_ends() -> None:
    (line,) = read_road("LINESTRING (" + ", ".join(f"{n / 100} 1" for n in range(1000)) + ")")
    assert len(line) == MAX_POINTS
    assert (line[0], line[-1]) == ((0, 1), (9.99, 1))


def lines_of(lines: int, points: int) -> str:
    """A road along a parallel from 0 to 10 degrees: lines that begin where the one before ends."""
    step = 10 / (lines * (points - 1))
    starts = (line * (points - 1) for line in range(lines))
    texts = (
        ",".join(f"{(start + point) * step:.4f} 1" for point in range(points)) for start in starts
    )
    return "MULTILINESTRING (" + ",".join(f"({text})" for text in texts) + ")"


@pytest.mark.parametrize(
    ("lines", "points"), [(9_000, 2), (1_000, 2), (121, 2), (120, 24), (60, 60), (11, 24)]
)
def test_a_road_of_many_lines_has_few_points_and_its_length(lines: int, points: int) -> None:
    found = read_road(lines_of(lines, points))
    places = [longitude for line in found for longitude, _ in line]
    assert MAX_ROAD_POINTS / 2 <= len(places) <= MAX_ROAD_POINTS
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == pytest.approx(10, abs=0.2)


def test_a_road_of_some_lines_is_as_detailed_as_one_line() -> None:
    found = read_road(lines_of(9, 100))
    assert [len(line) for line in found] == [MAX_POINTS] * 9


def test_north_is_up_and_everything_is_within() -> None:
    roads = [read_road("LINESTRING (4 52, 5 53)"), read_road("LINESTRING (4.2 52.5, 4.4 52.9)")]
    shown = frame(roads)
    places = [shown.position(point) for one in roads for line in one for point in line]
    assert all(0 <= x <= WIDTH and 0 <= y <= shown.height <= MAX_HEIGHT for x, y in places)
    (x_south, y_south), (x_north, y_north) = places[:2]
    assert x_south < x_north
    assert y_south > y_north
    # At 52.5 degrees a degree of longitude is 0.61 of one of latitude.
    assert (x_north - x_south) / (y_south - y_north) == pytest.approx(0.6088, abs=1e-3)


def test_one_distant_road_does_not_shrink_the_others() -> None:
    near = [read_road(f"LINESTRING (4.{n} 52, 4.{n} 52.1)") for n in range(100, 600)]
    far = read_road("LINESTRING (0 0, 0 0.1)")
    shown = frame([*near, far])
    assert all(shown.contains(one) for one in near)
    assert not shown.contains(far)


def test_a_single_vertical_line_has_a_frame() -> None:
    one = read_road("LINESTRING (4 52, 4 52)")
    assert path(one, frame([one])).startswith("M480.0 ")


def test_text_and_binary_are_geometry() -> None:
    for kind in (pa.string(), pa.binary()):
        assert geometry_problem(pa.schema([("geometry", kind)]), "geometry") == ""
    for schema, word in (
        (pa.schema([("geometry", pa.int64())]), "int64"),
        (pa.schema([("geom", pa.string())]), "no column"),
        (pa.schema([("geometry", pa.string()), ("geometry", pa.string())]), "twice"),
    ):
        assert word in geometry_problem(schema, "geometry")


@pytest.mark.parametrize(
    ("degrees", "label"),
    [(0.0001, "2 m"), (0.01, "200 m"), (0.1, "2 km"), (1.0, "20 km"), (90.0, "2,000 km")],
)
def test_the_scale_bar_is_round_and_true(degrees: float, label: str) -> None:
    """On the equator, where a degree has 111.2 km in both directions."""
    bar = scale_bar(frame([(((0.0, -degrees / 2), (degrees, degrees / 2)),)]))
    assert bar.label == label
    number, unit = bar.label.replace(",", "").split()
    kilometres = float(number) * (1 if unit == "km" else 0.001)
    drawn = frame([(((0.0, -degrees / 2), (degrees, degrees / 2)),)])
    assert bar.width == pytest.approx(kilometres / 111.195 * drawn.scale, abs=0.1)
    assert WIDTH / 10 <= bar.width <= WIDTH / 4
