"""Roads on paper: WKT lines, and where they lie in a drawing. Pure.

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
"""The column of the customer's that GEM reads."""

MAX_POINTS = 24
"""Of one line: in a picture of some hundred roads, more cannot be told apart."""

MAX_ROAD_POINTS = 240
"""Of all lines of one road: some lines at their finest, or a hundred as straight strokes. A road
right across the drawing still has a point every four units; and the roads of a map, whose texts may
have 20,000 lines each, take some 100 MB at most."""

MAX_TEXT = 200_000
"""Characters of one geometry; a longer one is not drawn."""

WIDTH = 960.0
MAX_HEIGHT = 720.0
MIN_HEIGHT = 240.0
"""Of the drawing, in its own units."""

_MARGIN = 12.0
_OUTLIERS = 0.005
"""Share of points at each end that the frame leaves out when the rest then gets twice the room: one
road at 0, 0 would shrink all others to a dot."""

_FORM = re.compile(
    r"(?:SRID=\d++;)?\s*+(?:MULTI)?LINESTRING\s*+(?:ZM|Z|M)?\s*+(\(.*\))",
    re.IGNORECASE | re.DOTALL,
)
_LINE = re.compile(r"\(([^()]+)\)")


class RoadsUnreadable(ValueError):
    """The text is no WKT line with coordinates on Earth."""


def geometry_problem(schema: pa.Schema, name: str) -> str:
    """Why this schema has no WKT to draw, or empty."""
    if schema.names.count(name) != 1:
        return f"there is no column {name}" if name not in schema.names else f"{name} occurs twice"
    kind = schema.field(name).type
    return "" if is_text(kind) else f"{name} is {kind}, not text (WKT)"


def road(text: str) -> Road:
    """Read a LINESTRING or MULTILINESTRING, with or without Z and M.

    Of more lines than get two points each, every second is left out, or two of three, and so on:
    the road keeps its length and has gaps.

    Raises:
        RoadsUnreadable: as the class says.

    """
    form = _FORM.fullmatch(text.strip()) if len(text) <= MAX_TEXT else None
    if not form:
        raise RoadsUnreadable
    marks = form[1].count("(")  # one for each line, and that around them
    step = math.ceil(marks * 2 / MAX_ROAD_POINTS)
    most = min(MAX_POINTS, MAX_ROAD_POINTS // math.ceil(marks / step))
    lines = []
    for line in islice(_LINE.finditer(form[1]), None, None, step):
        points = [_point(numbers) for numbers in _thinned(line[1].split(","), most)]
        if len(points) > 1:
            lines.append(tuple(points))
    if not lines:
        raise RoadsUnreadable
    return tuple(lines)


def _thinned(points: list[str], most: int) -> list[str]:
    """Evenly by number, both ends kept; `most` is two or more."""
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(place * step)] for place in range(most)]


def _point(text: str) -> Point:
    try:
        longitude, latitude = (float(number) for number in text.split()[:2])
    except ValueError:
        raise RoadsUnreadable from None
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):  # noqa: PLR2004 - degrees; NaN is neither
        raise RoadsUnreadable
    return longitude, latitude


@dataclass(frozen=True, slots=True)
class Frame:
    """Which part of the Earth a drawing shows: equirectangular, true to scale at its middle."""

    west: float
    south: float
    east: float
    north: float
    """Degrees."""
    scale: float
    """Drawing units a degree of latitude."""
    squeeze: float
    """Length of a degree of longitude, in degrees of latitude."""
    height: float
    """Of the drawing."""

    def place(self, point: Point) -> Point:
        """Where a point lies in the drawing."""
        longitude, latitude = point
        left = (WIDTH - (self.east - self.west) * self.squeeze * self.scale) / 2
        top = (self.height - (self.north - self.south) * self.scale) / 2
        return (
            left + (longitude - self.west) * self.squeeze * self.scale,
            top + (self.north - latitude) * self.scale,
        )

    def holds(self, one: Road) -> bool:
        """Whether some of a road is to be seen."""
        places = (self.place(point) for line in one for point in line)
        return any(0 <= x <= WIDTH and 0 <= y <= self.height for x, y in places)


def frame(roads: Sequence[Road]) -> Frame:
    """The frame of these roads, at least one; a very few far-off ones may lie outside of it."""
    west, east = _range([point[0] for one in roads for line in one for point in line])
    south, north = _range([point[1] for one in roads for line in one for point in line])
    squeeze = max(math.cos(math.radians((south + north) / 2)), 0.01)
    across, up = max((east - west) * squeeze, 1e-6), max(north - south, 1e-6)
    scale = min((WIDTH - 2 * _MARGIN) / across, (MAX_HEIGHT - 2 * _MARGIN) / up)
    height = max(up * scale + 2 * _MARGIN, MIN_HEIGHT)
    return Frame(west, south, east, north, scale, squeeze, round(height, 1))


def _range(values: list[float]) -> tuple[float, float]:
    values.sort()
    out = int(len(values) * _OUTLIERS)
    low, high = values[out], values[-1 - out]
    return (low, high) if values[-1] - values[0] > 2 * (high - low) else (values[0], values[-1])


def path(one: Road, shown: Frame) -> str:
    """A road as the data of an SVG path, to a tenth of a unit."""
    parts = []
    for line in one:
        places = [shown.place(point) for point in line]
        parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places))
    return "".join(parts)
