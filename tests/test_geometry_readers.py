"""Three readers of roads, each for a purpose of its own, see the same points in the same text.

The page draws a road, the look-up needs its box, and the preflight its coordinates.
"""

import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.overture.road_boxes import road_boxes
from gem_core.page.roads import MAX_POINTS, RoadsUnreadable, read_road
from gem_core.preflight.lines import read_lines

type Box = tuple[float, float, float, float]

POINTS = st.lists(
    st.tuples(st.floats(-89, 89), st.floats(-89, 89)),
    min_size=2,
    max_size=MAX_POINTS,
)
"""Far from the antimeridian, so that a box is that of the plain numbers."""


def box_of(points: list[tuple[float, float]]) -> Box:
    x, y = zip(*points, strict=True)
    return min(x), max(x), min(y), max(y)


def box_of_page(value: str | bytes) -> Box | None:
    try:
        road = read_road(value)
    except RoadsUnreadable:
        return None
    return box_of([point for line in road for point in line])


def box_of_look_up(value: str | bytes) -> Box | None:
    kind = pa.string() if isinstance(value, str) else pa.binary()
    found = road_boxes(pa.array([value], kind))[0].tolist()
    return None if np.isnan(found[0]) else tuple(found)


def box_of_preflight(value: str) -> Box | None:
    lines = read_lines(pa.array([value], pa.string()))
    return box_of([*zip(lines.x.tolist(), lines.y.tolist(), strict=True)]) if len(lines.x) else None


@given(POINTS)
def test_a_line_as_text_has_one_box_for_all_readers(points: list[tuple[float, float]]) -> None:
    text = f"LINESTRING ({', '.join(f'{x!r} {y!r}' for x, y in points)})"
    assert box_of_page(text) == box_of_look_up(text) == box_of_preflight(text) == box_of(points)


@given(POINTS, st.sampled_from("<>"))
def test_a_line_as_bytes_has_one_box_for_both_readers(
    points: list[tuple[float, float]], order: str
) -> None:
    head = struct.pack(f"{order}BII", order == "<", 2, len(points))
    data = head + b"".join(struct.pack(f"{order}dd", *point) for point in points)
    assert box_of_page(data) == box_of_look_up(data) == box_of(points)


ODD = {
    "linestring(1 2,3 4)": (1, 3, 2, 4),
    " LINESTRING\t( 1  2 ,\n3 4 ) ": (1, 3, 2, 4),
    "LINESTRING Z (1 2 9, 3 4 9)": (1, 3, 2, 4),
    "LINESTRING ZM (1 2 9 8, 3 4 9 8)": (1, 3, 2, 4),
    "LINESTRING (1E1 2e-1, +3 .5)": (3, 10, 0.2, 0.5),
    "SRID=4326;LINESTRING (1 2, 3 4)": (1, 3, 2, 4),
    "MULTILINESTRING ((1 2, 3 4), (5 6, 7 8))": (1, 7, 2, 8),
    "LINESTRING (1 2)": None,
    "LINESTRING EMPTY": None,
    "POINT (1 2)": None,
    "LINESTRING (NaN 2, 3 4)": None,
    "LINESTRING (181 2, 3 4)": None,
    "": None,
}


@pytest.mark.parametrize(("text", "box"), ODD.items())
def test_an_odd_text_has_one_box_or_none_for_both_readers(text: str, box: Box | None) -> None:
    assert box_of_page(text) == box_of_look_up(text) == box
