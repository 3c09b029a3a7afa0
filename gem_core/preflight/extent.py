"""Where the roads are, folded from batches, and what wrong coordinates look like. Pure (numpy)."""

import math
from dataclasses import dataclass, field

import numpy as np

from gem_core.preflight.land import is_land
from gem_core.preflight.lines import Lines

_MERCATOR_METRES = 20_037_509
"""Half of the equator in EPSG:3857, rounded up."""
_LEAST_METRES = 1_000
"""Degrees are never as large, metres of a projection mostly are."""
_FEW, _MOST = 0.5, 0.9
"""Shares of roads that make a coordinate system unlikely, or likely."""
_RADIUS = 6_378_137.0
"""Of the sphere of EPSG:3857, in metres."""


@dataclass(slots=True)
class Extent:
    """Of all lines that could be read."""

    west: float = math.inf
    south: float = math.inf
    east: float = -math.inf
    north: float = -math.inf
    outside: int = 0
    """Lines whose first point is out of range."""
    swapped: int = 0
    """Of these, lines that would be in range with the axes swapped."""
    metres: int = 0
    """Of these, lines that would be in range as EPSG:3857."""
    large: int = 0
    """Of these, lines with numbers so large that they must be metres."""
    inside: int = 0
    """Lines whose first point is in range."""
    on_land: int = 0
    on_land_swapped: int = 0
    """Of these, lines that would be on land with the axes swapped."""
    first_outside: tuple[float, float] | None = field(default=None)

    def add(self, lines: Lines) -> None:
        """Fold a batch."""
        finite = np.isfinite(lines.x) & np.isfinite(lines.y)
        if not finite.any():
            return
        x, y = lines.x[finite], lines.y[finite]
        self.west, self.east = min(self.west, float(x.min())), max(self.east, float(x.max()))
        self.south, self.north = min(self.south, float(y.min())), max(self.north, float(y.max()))
        begins = lines.starts[:-1]
        begins = begins[finite[begins]]
        self._add_points(lines.x[begins], lines.y[begins])

    def _add_points(self, x: np.ndarray, y: np.ndarray) -> None:
        is_in = (np.abs(x) <= 180) & (np.abs(y) <= 90)  # noqa: PLR2004 - degrees
        self._add_inside(x[is_in], y[is_in])
        x, y = x[~is_in], y[~is_in]
        if not len(x):
            return
        self.first_outside = self.first_outside or (float(x[0]), float(y[0]))
        self.outside += len(x)
        self.swapped += int(((np.abs(y) <= 180) & (np.abs(x) <= 90)).sum())  # noqa: PLR2004 - as above
        larger = np.maximum(np.abs(x), np.abs(y))
        is_large = larger > _LEAST_METRES
        self.large += int(is_large.sum())
        self.metres += int((is_large & (larger <= _MERCATOR_METRES)).sum())

    def _add_inside(self, x: np.ndarray, y: np.ndarray) -> None:
        self.inside += len(x)
        self.on_land += int(is_land(x, y).sum())
        could_be = np.abs(x) <= 90  # noqa: PLR2004 - as above
        self.on_land_swapped += int(is_land(y[could_be], x[could_be]).sum())

    @property
    def reason(self) -> str:
        """What the coordinates out of range look like, in words, or empty."""
        if not self.first_outside:
            return ""
        x, y = self.first_outside
        if self.swapped >= _MOST * self.outside:
            return (
                f"latitude and longitude look swapped: the first road begins at {x:.10g}, {y:.10g}"
            )
        if self.large < _MOST * self.outside:
            return f"the first one begins at {x:.10g}, {y:.10g}"
        text = "the numbers look like metres of a projection: "
        text += f"the first one begins at {x:.10g}, {y:.10g}"
        if self.metres >= _MOST * self.outside:
            longitude, latitude = _from_mercator(x, y)
            text += f", which as EPSG:3857 is longitude {longitude:.4f}, latitude {latitude:.4f}"
        return text

    @property
    def swap_problem(self) -> str:
        """Why the roads that are in range surely have the latitude first, or empty."""
        if self.on_land > (1 - _MOST) * self.inside or self.on_land_swapped < _MOST * self.inside:
            return ""
        return (
            f"{self._at_sea} of the roads are in the sea; with the axes swapped, "
            f"{self.on_land_swapped / self.inside:.0%} are on land"
        )

    @property
    def sea_problem(self) -> str:
        """Why the roads that are in range are probably not where they should be, or empty."""
        return f"{self._at_sea} are in the sea" if self.on_land <= _FEW * self.inside else ""

    @property
    def _at_sea(self) -> str:
        return f"{1 - self.on_land / self.inside:.0%}"


def _from_mercator(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude in degrees of a point in EPSG:3857."""
    latitude = 2 * math.atan(math.exp(y / _RADIUS)) - math.pi / 2
    return math.degrees(x / _RADIUS), math.degrees(latitude)
