"""Where there is land, in cells of half a degree. Edge: a file.

`land.bin` has a bit for each cell, from 90 degrees north and 180 degrees west on: 360 rows of 720
cells. A cell is land if any of it is. Source: GLOBE, the Global Land One-km Base Elevation data of
NOAA (public domain), as in the package global-land-mask 1.0.0 (MIT).
"""

import zlib
from functools import cache
from pathlib import Path

import numpy as np

from gem_core.audit.arrow.arrays import Mask

_CELLS = 2
"""For each degree."""
_FILE = Path(__file__).with_name("land.bin")


@cache
def _cells() -> np.ndarray:
    bits = np.frombuffer(zlib.decompress(_FILE.read_bytes()), np.uint8)
    cells = np.unpackbits(bits).view(np.bool_)
    return cells.reshape(180 * _CELLS, 360 * _CELLS)


def is_land(longitude: np.ndarray, latitude: np.ndarray) -> Mask:
    """Which points (degrees within range) are in a cell with land."""
    cells = _cells()
    row = np.minimum(((90 - latitude) * _CELLS).astype(np.int64), cells.shape[0] - 1)
    column = np.minimum(((longitude + 180) * _CELLS).astype(np.int64), cells.shape[1] - 1)
    found: Mask = cells[row, column]
    return found
