"""Boxes of longitude and latitude: whether they meet, and on which part of the earth. Pure (numpy).

A box is a row of four numbers in degrees: least and largest longitude, least and largest latitude.
NaN means that it is not known.
"""

import numpy as np

PAD_METRES = 100.0
"""By which a road's box is enlarged. A road and its match may be thin parallel lines, whose boxes
do not meet although they are metres apart."""
_ROUNDING_DEGREES = 4e-5
"""Of boxes in single precision: half a step each, doubled by the rounding of both sides."""
_METRES_A_DEGREE = 111_320.0
_LEAST_COSINE = 0.01
"""Near the poles, so that a margin is at most 100 times as wide as high."""

CELL_DEGREES = 0.1
_COLUMNS, _LINES = 3600, 1800
BOX = np.dtype(("<f4", 4))


def padded(roads: np.ndarray) -> np.ndarray:
    """Road boxes with their margin, in double precision: west, east, south, north.

    West is -180 to 180. East is larger than 180 when the box crosses the antimeridian: a box wider
    than half the earth goes the other way round.
    """
    west, east, south, north = np.asarray(roads, np.float64).T
    with np.errstate(invalid="ignore"):
        crosses = (east - west > 180) | (west > east)  # noqa: PLR2004 - degrees
        inverted = west > east
        begin = np.where(crosses & ~inverted, east, west)
        end = np.where(crosses, np.where(inverted, east, west) + 360, east)
        high = PAD_METRES / _METRES_A_DEGREE
        cosine = np.cos(np.radians(np.maximum(np.abs(south), np.abs(north))))
        wide = high / np.maximum(cosine, _LEAST_COSINE) + _ROUNDING_DEGREES
        high += _ROUNDING_DEGREES
    return np.stack([begin - wide, end + wide, south - high, north + high], axis=1)


def meets(areas: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Whether each segment's box meets the padded road box beside it.

    A segment's box that is wider than half the earth, or inverted, is that of a segment across the
    antimeridian. How far it reaches on each side is not known, so it is near at any longitude.
    """
    west, east, south, north = areas.T
    left, right, bottom, top = np.asarray(segments, np.float64).T
    with np.errstate(invalid="ignore"):
        near = (bottom <= north) & (top >= south)
        around = (right - left > 180) | (left > right)  # noqa: PLR2004 - degrees
        around |= (left <= east) & (right >= west)
        if (east >= 180).any() or (west <= -180).any():  # noqa: PLR2004 - degrees
            for turn in (360.0, -360.0):
                around |= (left + turn <= east) & (right + turn >= west)
    return np.asarray(near & around)


def known(boxes: np.ndarray) -> np.ndarray:
    """Which boxes are known."""
    return np.asarray(np.isfinite(boxes).all(axis=1))


class Area:
    """The parts of the earth where roads are, in cells of `CELL_DEGREES`."""

    def __init__(self) -> None:
        self._cells = np.zeros((_LINES, _COLUMNS), np.bool_)

    def add(self, areas: np.ndarray) -> None:
        """Add padded road boxes that are known."""
        first, last = _columns(areas[:, 0]), _columns(areas[:, 1])
        bottom, top = _lines(areas[:, 2]), _lines(areas[:, 3])
        for line in (bottom, top):
            for column in (first, last):
                self._cells[line, column % _COLUMNS] = True
        for at in np.flatnonzero((last - first > 1) | (top - bottom > 1)).tolist():
            lines = slice(int(bottom[at]), int(top[at]) + 1)
            columns = np.arange(first[at], min(last[at], first[at] + _COLUMNS - 1) + 1) % _COLUMNS
            self._cells[lines, columns] = True

    def touches(self, box: np.ndarray) -> bool:
        """Whether a box, such as that of a row group, may meet one of the roads."""
        west, east, south, north = np.asarray(box, np.float64)
        if not np.isfinite(box).all() or not south <= north:
            return True
        if west > east or east - west >= 360:  # noqa: PLR2004 - degrees
            west, east = -180.0, 180.0
        corners = np.array([[west, east, south, north]])
        first, last = int(_columns(corners[:, 0])[0]), int(_columns(corners[:, 1])[0])
        lines = slice(int(_lines(corners[:, 2])[0]), int(_lines(corners[:, 3])[0]) + 1)
        columns = np.arange(first, min(last, first + _COLUMNS - 1) + 1) % _COLUMNS
        return bool(self._cells[lines, columns].any())


def _columns(longitudes: np.ndarray) -> np.ndarray:
    """May be outside of 0 to 3599: the earth is round."""
    return np.floor((longitudes + 180) / CELL_DEGREES).astype(np.int64)


def _lines(latitudes: np.ndarray) -> np.ndarray:
    found = np.floor((latitudes + 90) / CELL_DEGREES).astype(np.int64)
    return np.asarray(np.clip(found, 0, _LINES - 1))
