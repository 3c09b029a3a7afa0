"""Keys, boxes and the index: against plain Python, for any values."""

import math
import struct
import uuid

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.overture.boxes import Area, known, meets, padded
from gem_core.audit.overture.id_filter import IdFilter
from gem_core.audit.overture.joining import FOUND, ROW, State, distinct, judge, ordered, records
from gem_core.audit.overture.keys import Keys, keys_of, texts_of
from gem_core.audit.overture.road_boxes import road_boxes
from gem_core.audit.rows.gers import GersFormat
from gem_core.audit.rows.gers_bits import OddIds

UUIDS = st.lists(st.uuids().map(str), max_size=50, unique=True)


@given(UUIDS)
def test_an_id_can_be_made_of_its_key(ids: list[str]) -> None:
    for format_, texts in (
        (GersFormat.UUID, ids),
        (GersFormat.DIGITS, [each.replace("-", "") for each in ids]),
    ):
        keys = keys_of(pa.array(texts, pa.string()), format_)
        assert texts_of(keys, format_).to_pylist() == texts
        capitals = keys_of(pa.array([each.upper() for each in texts], pa.string()), format_)
        assert np.array_equal(keys.mixed, capitals.mixed)


@pytest.mark.parametrize("ids", [["short"], [None], [str(uuid.UUID(int=1)), "x" * 35]])
def test_other_texts_have_no_key(ids: list[str | None]) -> None:
    with pytest.raises(OddIds):
        keys_of(pa.array(ids, pa.string()), GersFormat.UUID)


SMALL = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=40)
"""Halves of keys, of which many agree in one half."""


def _keys(pairs: list[tuple[int, int]]) -> Keys:
    mixed, low = np.array(pairs, np.uint64).reshape(-1, 2).T
    return Keys(mixed << np.uint64(60), low)


BOX = (1.0, 2.0, 1.0, 2.0)


@given(SMALL, SMALL)
def test_rows_are_found_by_their_whole_id(
    own: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    boxes = np.array([BOX])
    rows = ordered(records(ROW, _keys(own), boxes, State.OPEN))
    judge(rows, records(FOUND, _keys(asked), boxes, State.ELSEWHERE))
    for row in rows.tolist():
        key = (row[0] >> 60, row[1])
        assert row[3] == (State.IN_PLACE if key in asked else State.OPEN)
    assert [row[:2] for row in rows.tolist()] == sorted((a << 60, b) for a, b in own)
    assert len(distinct(rows)) == len(set(own))


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([(State.ELSEWHERE, 2.0)], State.IN_PLACE),
        ([(State.ELSEWHERE, 9.0)], State.ELSEWHERE),
        ([(State.ELSEWHERE, 9.0), (State.ELSEWHERE, 2.0)], State.IN_PLACE),
        ([(State.ELSEWHERE, math.nan)], State.NO_PLACE),
        ([(State.ELSEWHERE, math.nan), (State.ELSEWHERE, 9.0)], State.NO_PLACE),
        ([(State.REMOVED, math.nan)], State.REMOVED),
        ([(State.REMOVED, math.nan), (State.ELSEWHERE, 2.0)], State.IN_PLACE),
        ([(State.OUTSIDE, 2.0)], State.OUTSIDE),
        ([], State.OPEN),
    ],
)
def test_of_what_is_found_the_best_holds(found: list[tuple[State, float]], state: State) -> None:
    key = _keys([(1, 1)])
    rows = records(ROW, key, np.array([BOX]), State.OPEN)
    for what, west in found:
        judge(rows, records(FOUND, key, np.array([(west, west + 1, 1, 2)]), what))
    assert rows["state"].tolist() == [state]


def test_the_filter_passes_what_was_added_and_few_others() -> None:
    ids = np.random.default_rng(1).integers(0, 2**64, 20_000, np.uint64)
    own, foreign = ids[:10_000], ids[10_000:]
    wanted = IdFilter(len(own))
    assert not len(wanted.passing(own))
    wanted.add(own)
    assert wanted.passing(own).tolist() == list(range(len(own)))
    assert len(wanted.passing(foreign)) < len(foreign) / 10


POINTS = st.lists(
    st.tuples(st.floats(-179, 179).map(lambda x: round(x, 6)), st.floats(-89, 89)),
    min_size=2,
    max_size=6,
)


def _wkt(points: list[tuple[float, float]]) -> str:
    return f"LINESTRING ({', '.join(f'{x!r} {y!r}' for x, y in points)})"


def _wkb(points: list[tuple[float, float]]) -> bytes:
    numbers = [number for point in points for number in point]
    return struct.pack(f"<BII{len(numbers)}d", 1, 2, len(points), *numbers)


@given(st.lists(POINTS, max_size=5))
def test_a_road_has_the_box_of_all_its_points(lines: list[list[tuple[float, float]]]) -> None:
    texts = road_boxes(pa.array([_wkt(line) for line in lines], pa.string()))
    binary = road_boxes(pa.array([_wkb(line) for line in lines], pa.binary()))
    assert np.array_equal(texts, binary)
    for line, box in zip(lines, texts.tolist(), strict=True):
        x, y = zip(*line, strict=True)
        assert box[2:] == [min(y), max(y)]
        if max(x) - min(x) <= 180:
            assert box[:2] == [min(x), max(x)]
        else:
            assert box[0] > box[1] or box[0] == box[1]


@pytest.mark.parametrize(
    ("geometry", "box"),
    [
        ("MULTILINESTRING ((1 2, 3 4), (5 6, 7 0))", (1, 7, 0, 6)),
        ("LINESTRING Z (1 2 9, 4 5 9)", (1, 4, 2, 5)),
        ("SRID=4326;LINESTRING(1 2,3 4)", (1, 3, 2, 4)),
        ("LINESTRING (1e1 2, 3 4)", (3, 10, 2, 4)),
        ("LINESTRING (+1 2, 3 4)", (1, 3, 2, 4)),
        ("LINESTRING (179.9 1, -179.9 2, 179 3)", (179, -179.9, 1, 3)),
        ("LINESTRING (200 1, 3 4)", None),
        ("LINESTRING (1 2)", None),
        ("LINESTRING EMPTY", None),
        ("LINESTRING (1,2,3,4)", None),
        ("LINESTRING (1e5, 2e5)", None),
        ("POINT (1 2)", None),
        ("1 2, 3 4", None),
        ("LINESTRING (1.2.3 2, 3 4)", None),
        ("", None),
        (None, None),
    ],
)
def test_an_unusual_text_has_its_box_or_none(
    geometry: str | None, box: tuple[float, ...] | None
) -> None:
    plain = "LINESTRING (1 2, 3 4)"
    found = road_boxes(pa.array([plain, geometry, plain], pa.string()))
    expected = (math.nan,) * 4 if box is None else box
    assert np.allclose(found, [(1, 3, 2, 4), expected, (1, 3, 2, 4)], equal_nan=True)


def test_the_bytes_of_a_null_are_no_road() -> None:
    lines = pa.array([_wkt([(n, 2), (n + 1, 3)]) for n in (1, 50, 5)])
    _, ends, text = lines.buffers()
    second_is_null = pa.StringArray.from_buffers(3, ends, text, pa.py_buffer(b"\x05"))
    found = road_boxes(second_is_null)
    assert np.array_equal(found, [(1, 2, 2, 3), (math.nan,) * 4, (5, 6, 2, 3)], equal_nan=True)


def test_many_roads_are_read_as_few_are() -> None:
    lines = pa.array([_wkt([(n / 1000, 2), (n / 1000 + 1, 3)]) for n in range(20_000)])
    found = road_boxes(lines)
    assert np.array_equal(found[:, 0], np.arange(20_000) / 1000)
    assert len(road_boxes(lines[:0])) == 0


@pytest.mark.parametrize(
    ("road", "segment", "near"),
    [
        ((4, 4.1, 52, 52.1), (4.05, 4.2, 52.05, 52.2), True),
        ((4, 4.1, 52, 52.1), (4.1012, 4.2, 52, 52.1), True),  # 82 metres
        ((4, 4.1, 52, 52.1), (4.102, 4.2, 52, 52.1), False),  # 137 metres
        ((4, 4.1, 52, 52.1), (4, 4.1, 52.1008, 52.2), True),  # 89 metres
        ((4, 4.1, 52, 52.1), (4, 4.1, 52.102, 52.2), False),
        ((179.99, -179.99, 0, 1), (-180, 180, 0, 1), True),
        ((179.9965, 179.9975, 0, 1), (-179.99, 179.99, 0, 1), True),
        ((179.99, -179.99, 0, 1), (179.9, 179.995, 0, 1), True),
        ((179.99, -179.99, 0, 1), (-179.995, -179.9, 0, 1), True),
        ((179.99, -179.99, 0, 1), (179.0, 179.5, 0, 1), False),
        ((179.99, -179.99, 0, 1), (179.995, -179.995, 0, 1), True),
        ((179.99, 179.9999, 0, 1), (-179.9999, -179.99, 0, 1), True),
        ((179.99, -179.99, 0, 1), (-180, 180, 3, 4), False),
    ],
)
def test_boxes_near_each_other_meet(
    road: tuple[float, ...], segment: tuple[float, ...], *, near: bool
) -> None:
    roads = np.array([road], np.float32)
    assert bool(meets(padded(roads), np.array([segment], np.float32))[0]) is near
    area = Area()
    area.add(padded(roads))
    if near:
        assert area.touches(np.array(segment))


def test_what_is_not_known_meets_nothing_and_hides_nothing() -> None:
    nowhere = np.full((1, 4), np.nan)
    assert not known(nowhere)[0]
    assert not meets(padded(nowhere), np.array([[0, 1, 0, 1]]))[0]
    area = Area()
    assert area.touches(nowhere[0])
    assert not area.touches(np.array([0.0, 1.0, 0.0, 1.0]))


BOXES = st.tuples(st.floats(-180, 179), st.floats(0, 5), st.floats(-89, 84), st.floats(0, 5)).map(
    lambda each: (each[0], min(each[0] + each[1], 180.0), each[2], each[2] + each[3])
)


@given(BOXES, BOXES)
def test_a_group_that_meets_a_road_is_never_left_out(
    road: tuple[float, ...], group: tuple[float, ...]
) -> None:
    areas = padded(np.array([road]))
    area = Area()
    area.add(areas)
    if meets(areas, np.array([group]))[0]:
        assert area.touches(np.array(group))
