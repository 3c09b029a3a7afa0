"""Reads roads from WKT and WKB. Pure.

Sources: TomTom, GEM input: `geometry`, WKT in WGS 84 (longitude, latitude in degrees). OGC 06-103r4
for both forms; other tools write the column as WKB.
"""

import math
import re
import struct
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from gem_core.audit.arrow.types import is_text, unreadable

type Point = tuple[float, float]
type Road = tuple[tuple[Point, ...], ...]
"""One or more lines of (longitude, latitude), thinned to `MAX_POINTS` and `MAX_ROAD_POINTS`."""

MAX_POINTS = 24
"""Maximum for one line. In a picture of some hundred roads, more points cannot be distinguished."""

MAX_ROAD_POINTS = 240
"""Maximum for all lines of one road: ten detailed lines or 120 straight ones. A road across the
whole drawing still has a point every four units. The roads of a map need at most about 100 MB, even
if each text has 20,000 lines."""

MAX_LENGTH = 200_000
"""Maximum number of characters or bytes of a geometry. Longer ones are not drawn."""

_FORM = re.compile(
    r"(?:SRID=\d++;)?\s*+(?:MULTI)?LINESTRING\s*+(?:ZM|Z|M)?\s*+(\(.*\))",
    re.IGNORECASE | re.DOTALL,
)
_LINE = re.compile(r"\(([^()]+)\)")


_LINE_STRING, _MULTI_LINE_STRING = 2, 5
"""Kinds of geometry in WKB."""


class RoadsUnreadable(ValueError):
    """The value is not a line with valid longitudes and latitudes."""


def geometry_problem(schema: pa.Schema, name: str) -> str:
    """Why the column cannot be drawn, or an empty text when it can."""
    if schema.names.count(name) != 1:
        return f"there is no column {name}" if name not in schema.names else f"{name} occurs twice"
    field = schema.field(name)
    if reason := unreadable(field):
        return reason
    known = is_text(field.type) or pa.types.is_binary(field.type)
    return "" if known else f"{name} is {field.type}, neither text (WKT) nor binary (WKB)"


def read_road(value: str | bytes) -> Road:
    """Read a LINESTRING or MULTILINESTRING, with or without Z and M: text as WKT, bytes as WKB.

    If there are too many lines to give two points to each, only every second, third, ... line is
    kept. The road then keeps its length and has gaps.

    Raises:
        RoadsUnreadable: the value is not a line with valid longitudes and latitudes.

    """
    if len(value) > MAX_LENGTH:
        raise RoadsUnreadable
    try:
        lines = _of_wkt(value) if isinstance(value, str) else _of_wkb(value)
        road = tuple(line for line in map(tuple, lines) if len(line) > 1)
    except (ValueError, struct.error):
        raise RoadsUnreadable from None
    if not road or not all(_is_on_earth(*point) for line in road for point in line):
        raise RoadsUnreadable
    return road


def _thinning(lines: int) -> tuple[int, int]:
    """Of so many lines: every how many to keep, and how many points of each."""
    step = math.ceil(lines * 2 / MAX_ROAD_POINTS)
    return step, min(MAX_POINTS, MAX_ROAD_POINTS // math.ceil(lines / step))


def _places(count: int, most: int) -> list[int]:
    """Which points of a line to keep: at most `most` at equal steps, with both ends."""
    if count <= most:
        return [*range(count)]
    step = (count - 1) / (most - 1)
    return [round(place * step) for place in range(most)]


def _of_wkt(text: str) -> Iterator[list[Point]]:
    form = _FORM.fullmatch(text.strip())
    if not form:
        raise RoadsUnreadable
    step, most = _thinning(form[1].count("("))  # one for each line, and one around all lines
    for line in islice(_LINE.finditer(form[1]), None, None, step):
        points = line[1].split(",")
        yield [_wkt_point(points[place]) for place in _places(len(points), most)]


def _wkt_point(text: str) -> Point:
    longitude, latitude = (float(number) for number in text.split()[:2])
    return longitude, latitude


def _of_wkb(data: bytes) -> Iterator[list[Point]]:
    kind, _, count, at, _ = _wkb_head(data, 0)
    if kind == _LINE_STRING:
        at, count = 0, 1
    elif kind != _MULTI_LINE_STRING or not 0 < count <= len(data):
        raise RoadsUnreadable
    step, most = _thinning(count)
    for number in range(count):
        kind, size, points, at, order = _wkb_head(data, at)
        end = at + points * size
        if kind != _LINE_STRING or end > len(data):
            raise RoadsUnreadable
        if number % step == 0:
            starts = (at + place * size for place in _places(points, most))
            yield [struct.unpack_from(f"{order}dd", data, start) for start in starts]
        at = end


def _wkb_head(data: bytes, at: int) -> tuple[int, int, int, int, str]:
    """The kind, the bytes of a point, the number of parts, where they begin, the order of bytes.

    The standard adds 1000 to the kind for Z, and 2000 for M. EWKB has a bit for each, and one for a
    number of the reference system, which follows.
    """
    order = "<" if data[at : at + 1] == b"\1" else ">"
    (kind,) = struct.unpack_from(f"{order}I", data, at + 1)
    at += 5
    more = (kind >> 31) + (kind >> 30 & 1) + (0, 1, 1, 2)[kind % 2**29 // 1000 % 4]
    at += 4 * (kind >> 29 & 1)
    (count,) = struct.unpack_from(f"{order}I", data, at)
    return kind % 2**29 % 1000, 16 + 8 * more, count, at + 4, order


def _is_on_earth(longitude: float, latitude: float) -> bool:
    return abs(longitude) <= 180 and abs(latitude) <= 90  # noqa: PLR2004 - degrees; not NaN either
