"""Places roads in a drawing. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gem_core.page.roads import Point, Road

WIDTH = 960.0
MAX_HEIGHT = 720.0
MIN_HEIGHT = 240.0
"""Size of the drawing in drawing units."""

_MARGIN = 12.0
_OUTLIERS = 0.005
"""Share of the points at each end of a range that may lie outside the frame, if this doubles the
scale. Otherwise one road at 0, 0 would shrink all others to a dot."""


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


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A line on the map, and the length of the ground that it stands for."""

    width: float
    """In drawing units."""
    label: str


_METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a sphere with the mean radius of WGS 84 (6,371,009 m)."""


def scale_bar(area: Frame) -> ScaleBar:
    """The longest round length that is at most a quarter of the drawing's width.

    It is true at the middle of the map.
    """
    units = area.scale / _METRES_PER_DEGREE
    most = WIDTH / 4 / units
    power = 10 ** math.floor(math.log10(most))
    metres = max(factor * power for factor in (1, 2, 5) if factor * power <= most)
    label = f"{metres / 1000:,g} km" if metres >= 1000 else f"{metres:g} m"  # noqa: PLR2004 - a km
    return ScaleBar(round(metres * units, 1), label)
