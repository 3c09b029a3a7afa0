"""Reads roads from WKT and places them in a drawing. Pure.

Source: TomTom, GEM input: `geometry`, WKT in WGS 84 (longitude, latitude in degrees).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from gem_core.audit.arrow.types import is_text

type Point = tuple[float, float]
type Road = tuple[tuple[Point, ...], ...]
"""One or more lines of (longitude, latitude), thinned to `MAX_POINTS` and `MAX_ROAD_POINTS`."""

GEOMETRY = "geometry"
"""The column of the customer's input that GEM reads."""

MAX_POINTS = 24
"""Maximum for one line. In a picture of some hundred roads, more points cannot be distinguished."""

MAX_ROAD_POINTS = 240
"""Maximum for all lines of one road: ten detailed lines or 120 straight ones. A road across the
whole drawing still has a point every four units. The roads of a map need at most about 100 MB, even
if each text has 20,000 lines."""

MAX_TEXT = 200_000
"""Maximum number of characters of a geometry. Longer ones are not drawn."""

WIDTH = 960.0
MAX_HEIGHT = 720.0
MIN_HEIGHT = 240.0
"""Size of the drawing in drawing units."""

_MARGIN = 12.0
_OUTLIERS = 0.005
"""Share of the points at each end of a range that may lie outside the frame, if this doubles the
scale. Otherwise one road at 0, 0 would shrink all others to a dot."""

_FORM = re.compile(
    r"(?:SRID=\d++;)?\s*+(?:MULTI)?LINESTRING\s*+(?:ZM|Z|M)?\s*+(\(.*\))",
    re.IGNORECASE | re.DOTALL,
)
_LINE = re.compile(r"\(([^()]+)\)")


class RoadsUnreadable(ValueError):
    """The text is not a WKT line with valid longitudes and latitudes."""


def geometry_problem(schema: pa.Schema, name: str) -> str:
    """Why the column cannot be drawn, or an empty text when it can."""
    if schema.names.count(name) != 1:
        return f"there is no column {name}" if name not in schema.names else f"{name} occurs twice"
    kind = schema.field(name).type
    return "" if is_text(kind) else f"{name} is {kind}, not text (WKT)"


def read_road(text: str) -> Road:
    """Read a LINESTRING or MULTILINESTRING, with or without Z and M.

    If there are too many lines to give two points to each, only every second, third, ... line is
    kept. The road then keeps its length and has gaps.

    Raises:
        RoadsUnreadable: the text is not a WKT line with valid longitudes and latitudes.

    """
    form = _FORM.fullmatch(text.strip()) if len(text) <= MAX_TEXT else None
    if not form:
        raise RoadsUnreadable
    parentheses = form[1].count("(")  # one for each line, and one around all lines
    step = math.ceil(parentheses * 2 / MAX_ROAD_POINTS)
    most = min(MAX_POINTS, MAX_ROAD_POINTS // math.ceil(parentheses / step))
    lines = []
    for line in islice(_LINE.finditer(form[1]), None, None, step):
        points = [_point(numbers) for numbers in _thinned(line[1].split(","), most)]
        if len(points) > 1:
            lines.append(tuple(points))
    if not lines:
        raise RoadsUnreadable
    return tuple(lines)


def _thinned(points: list[str], most: int) -> list[str]:
    """At most `most` points at equal steps, with both ends. `most` is two or more."""
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(place * step)] for place in range(most)]


def _point(text: str) -> Point:
    try:
        longitude, latitude = (float(number) for number in text.split()[:2])
    except ValueError:
        raise RoadsUnreadable from None
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):  # noqa: PLR2004 - degrees; NaN fails too
        raise RoadsUnreadable
    return longitude, latitude


@dataclass(frozen=True, slots=True)
class Frame:
    """The area that a drawing shows. Equirectangular projection, true to scale at the middle."""

    west: float
    south: float
    east: float
    north: float
    """In degrees."""
    scale: float
    """Drawing units for each degree of latitude."""
    aspect: float
    """Length of a degree of longitude divided by the length of a degree of latitude."""
    height: float
    """Height of the drawing in drawing units."""

    def position(self, point: Point) -> Point:
        """The position (x, y) of a point in drawing units."""
        longitude, latitude = point
        left = (WIDTH - (self.east - self.west) * self.aspect * self.scale) / 2
        top = (self.height - (self.north - self.south) * self.scale) / 2
        return (
            left + (longitude - self.west) * self.aspect * self.scale,
            top + (self.north - latitude) * self.scale,
        )

    def contains(self, road: Road) -> bool:
        """Whether a point of the road lies in the drawing."""
        positions = (self.position(point) for line in road for point in line)
        return any(0 <= x <= WIDTH and 0 <= y <= self.height for x, y in positions)


def frame(roads: Sequence[Road]) -> Frame:
    """The frame for at least one road. A few distant points may lie outside; see `_OUTLIERS`."""
    west, east = _range([point[0] for road in roads for line in road for point in line])
    south, north = _range([point[1] for road in roads for line in road for point in line])
    aspect = max(math.cos(math.radians((south + north) / 2)), 0.01)
    width, height = max((east - west) * aspect, 1e-6), max(north - south, 1e-6)
    scale = min((WIDTH - 2 * _MARGIN) / width, (MAX_HEIGHT - 2 * _MARGIN) / height)
    height = max(height * scale + 2 * _MARGIN, MIN_HEIGHT)
    return Frame(west, south, east, north, scale, aspect, round(height, 1))


def _range(values: list[float]) -> tuple[float, float]:
    values.sort()
    out = int(len(values) * _OUTLIERS)
    low, high = values[out], values[-1 - out]
    return (low, high) if values[-1] - values[0] > 2 * (high - low) else (values[0], values[-1])


def path(road: Road, area: Frame) -> str:
    """A road as the data of an SVG path, rounded to a tenth of a drawing unit."""
    parts = []
    for line in road:
        positions = [area.position(point) for point in line]
        parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in positions))
    return "".join(parts)
