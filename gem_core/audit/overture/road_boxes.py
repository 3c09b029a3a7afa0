"""The boxes of roads, from their geometry as WKT or WKB. Pure (numpy, pyarrow)."""

import re
import struct
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view

from gem_core.audit.arrow.arrays import Mask, valid
from gem_core.audit.arrow.text import text_parts

_MINUS, _SIGNS = np.uint8(ord("-")), 12
"""Numbers are made of the bytes from "-" on: minus, point, (slash,) digits."""
_SPACE, _CLOSE, _COMMA, _SEMICOLON, _SMALL_E, _FIRST_LETTER = b" ),;eA"
_CASE = np.uint8(0x20)
_NUMBER = re.compile(r"[-+.\w]+")
_AT_ONCE = 16_384
"""Roads that are read together: enough that calls cost little, and memory is used again."""
_HEADER = 9
"""Bytes of a line in WKB before its points: order, kind, number of points."""
_SIZES = {2: 16, 1002: 24, 0x80000002: 24}
"""Kinds of a line in WKB, without and with Z, and the bytes of a point."""
_LINE, _LINES = 2, 5
_EARTH = np.array([180.0, 180.0, 90.0, 90.0])
"""The largest longitude and latitude of a box, in degrees."""


def road_boxes(geometry: pa.Array) -> np.ndarray:
    """The box of each road, as `overture.boxes` has it; NaN where it is not readable.

    That of a road across the antimeridian has a west that is larger than its east.
    """
    steps = range(0, len(geometry), _AT_ONCE)
    return np.concatenate(
        [np.zeros((0, 4)), *(_boxes(geometry[at : at + _AT_ONCE]) for at in steps)]
    )


def _boxes(geometry: pa.Array) -> np.ndarray:
    # A column without an annotation may hold text too. WKB begins with 0 or 1.
    is_binary = pa.types.is_binary(geometry.type)
    texts = geometry.view(pa.string()) if is_binary else geometry
    offsets, data = text_parts(texts)
    found = np.full((len(texts), 4), np.nan)
    if not len(texts):
        return found
    rows = np.flatnonzero(valid(texts) & (np.diff(offsets) > 0))
    if not len(rows):
        return found
    begins = offsets - offsets[0]
    spans = np.stack([begins[rows], begins[rows + 1]])
    is_wkb = data[spans[0]] <= 1 if is_binary else np.zeros(len(rows), np.bool_)
    read = np.full((len(rows), 4), np.nan)
    if is_wkb.all():
        _read_wkb(data, spans, read)
    elif not is_wkb.any():
        _read_wkt(data, spans, read)
    for at in np.flatnonzero(np.isnan(read[:, 0])).tolist():
        read[at] = _slowly(data[spans[0, at] : spans[1, at]].tobytes(), wkb=bool(is_wkb[at]))
    found[rows] = read
    return found


def _read_wkt(data: np.ndarray, spans: np.ndarray, into: np.ndarray) -> None:
    """Read the texts that are written as usual: lines of points with two numbers each."""
    is_sign = ((data - _MINUS) <= _SIGNS) & (data != ord("/"))
    edges = np.flatnonzero(is_sign[1:] != is_sign[:-1]).astype(np.int32) + np.int32(1)
    if is_sign[0] or is_sign[-1]:  # no WKT begins or ends with a number
        return
    first, counts = _counted(edges[0::2].copy(), spans)
    if _all_flat(data, edges, counts):
        numbers = _values(data, edges)
        if numbers is not None:
            into[:] = _around(numbers.reshape(-1, 2), first // 2)
        return
    is_usual = (
        (counts >= 4)  # noqa: PLR2004 - two points
        & (counts == 2 * (_count(data == _COMMA, spans) + 1))
        & (data[spans[0]] >= _FIRST_LETTER)
        & (data[spans[1] - 1] == _CLOSE)
        # A reference system is one more number, and one with an exponent looks like two.
        & (_count((data == _SEMICOLON) | _exponents(data, is_sign), spans) == 0)
    )
    rows = np.flatnonzero(is_usual)
    counts, first = counts[rows], first[rows]
    begins = np.cumsum(counts) - counts
    wanted = np.arange(counts.sum()) + np.repeat(first - begins, counts)
    numbers = _values(data, edges.reshape(-1, 2)[wanted].reshape(-1))
    if numbers is not None:
        into[rows] = _around(numbers.reshape(-1, 2), begins // 2)


def _all_flat(data: np.ndarray, edges: np.ndarray, counts: np.ndarray) -> bool:
    """Whether every text consists of points with two numbers, by the byte after each number."""
    after = data[edges[1::2]]
    after_x, after_y = after[0::2], after[1::2]
    return bool(
        len(after_x) == len(after_y)
        and counts.sum() == len(after)
        and counts.min() >= 4  # noqa: PLR2004 - two points
        and (after_x == _SPACE).all()
        and ((after_y == _COMMA) | (after_y == _CLOSE)).all()
    )


def _counted(places: np.ndarray, spans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first of these places in each span, and how many are there."""
    if np.array_equal(spans[0, 1:], spans[1, :-1]):
        bounds = np.searchsorted(places, np.append(spans[0], spans[1, -1]))
        return bounds[:-1], np.diff(bounds)
    first, end = np.searchsorted(places, spans)
    return first, end - first


def _count(marks: Mask, spans: np.ndarray) -> np.ndarray:
    return _counted(np.flatnonzero(marks).astype(np.int32), spans)[1]


def _exponents(data: np.ndarray, is_sign: Mask) -> Mask:
    """Where a letter e follows a number."""
    marks: Mask = (data | _CASE) == _SMALL_E
    marks[1:] &= is_sign[:-1]
    return marks


def _values(data: np.ndarray, edges: np.ndarray) -> np.ndarray | None:
    """The numbers that begin and end at these edges; None if one of them is none."""
    if not len(edges):
        return None
    # What is between two numbers is null, so it is not read.
    is_number = pa.py_buffer(np.full(len(edges) // 8 + 1, 0b01010101, np.uint8))
    places, text = pa.py_buffer(edges), pa.py_buffer(data)
    parts = pa.StringArray.from_buffers(len(edges) - 1, places, text, is_number)
    try:
        cast = parts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    return np.frombuffer(cast.buffers()[1], np.float64, len(cast))[::2]


def _read_wkb(data: np.ndarray, spans: np.ndarray, into: np.ndarray) -> None:
    """Read the lines in the usual order of bytes."""
    rows = np.flatnonzero(spans[1] - spans[0] >= _HEADER)
    begins, ends = spans[:, rows].astype(np.int64)
    head = data[begins[:, None] + np.arange(_HEADER)]
    kinds = np.ascontiguousarray(head[:, 1:5]).view("<u4")[:, 0]
    counts = np.ascontiguousarray(head[:, 5:9]).view("<u4")[:, 0].astype(np.int64)
    sizes = np.zeros(len(rows), np.int64)
    for kind, size in _SIZES.items():
        sizes[kinds == kind] = size
    is_usual = (head[:, 0] == 1) & (counts > 1) & (sizes > 0)
    is_usual &= ends - begins == _HEADER + counts * sizes
    rows, begins = rows[is_usual], begins[is_usual] + _HEADER
    counts, sizes = counts[is_usual], sizes[is_usual]
    if not len(rows):
        return
    firsts = np.cumsum(counts) - counts
    places = (np.arange(counts.sum()) - np.repeat(firsts, counts)) * np.repeat(sizes, counts)
    places += np.repeat(begins, counts)
    points = sliding_window_view(data, 16)[places].view("<f8")
    into[rows] = _around(points, firsts)


def _around(points: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """The boxes of the points that begin at these places; NaN beyond the earth."""
    x, y = points.T
    bounds = [np.minimum.reduceat(x, begins), np.maximum.reduceat(x, begins)]
    bounds += [np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)]
    boxes = np.stack(bounds, axis=1)
    with np.errstate(invalid="ignore"):
        boxes[~(np.abs(boxes) <= _EARTH).all(1)] = np.nan
        crosses = np.flatnonzero(boxes[:, 1] - boxes[:, 0] > 180)  # noqa: PLR2004 - degrees
    ends = np.append(begins[1:], len(x))
    for at in crosses.tolist():
        around = x[begins[at] : ends[at]] % 360
        boxes[at, :2] = around.min(), around.max() - 360
    return boxes


def _slowly(value: bytes, *, wkb: bool) -> np.ndarray:
    """The box of one road in whatever form; NaN if it is none."""
    try:
        points = [*(_points_of_wkb(value) if wkb else _points_of_wkt(value.decode()))]
    except (ValueError, IndexError, struct.error):
        points = []
    if len(points) < 2:  # noqa: PLR2004 - a line
        return np.full(4, np.nan)
    return np.asarray(_around(np.array(points), np.zeros(1, np.int64))[0])


def _points_of_wkt(text: str) -> Iterator[tuple[float, float]]:
    kind, _, points = text.partition("(")
    if "LINESTRING" not in kind.upper():
        raise ValueError(kind[:20])
    for point in points.split(","):
        first, second, *_ = _NUMBER.findall(point)
        yield float(first), float(second)


def _points_of_wkb(data: bytes) -> Iterator[tuple[float, float]]:
    """The numbers of a line, or of several; see `page.roads` for the form."""
    at, lines = 0, 1
    while lines:
        order = "<" if data[at] == 1 else ">"
        kind, count = struct.unpack_from(f"{order}II", data, at + 1)
        at += _HEADER
        if kind & 0x20000000:  # the number of a reference system precedes the count
            (count,) = struct.unpack_from(f"{order}I", data, at)
            at += 4
        more = (kind >> 31) + (kind >> 30 & 1) + (0, 1, 1, 2)[kind % 2**29 // 1000 % 4]
        lines -= 1
        if kind % 2**29 % 1000 == _LINES:
            lines += count
        elif kind % 2**29 % 1000 == _LINE and at + count * (16 + 8 * more) <= len(data):
            for _ in range(count):
                yield struct.unpack_from(f"{order}dd", data, at)
                at += 16 + 8 * more
        else:
            raise ValueError(kind)
