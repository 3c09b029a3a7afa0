"""A uniform sample of a stream whose length is not known, in fixed memory; seeded.

Source: K.-H. Li, "Reservoir-sampling algorithms of time complexity O(n(1+log(N/n)))" (1994),
Algorithm L.
"""

import math
import random

import pyarrow as pa

_BELOW_ONE = 1 - 1e-12
"""Rounding may make a weight 1, whose logarithm there is none."""


class Reservoir:
    """Keeps at most `size` of all row numbers that it is shown.

    The same numbers in the same order leave the same sample, however they are cut into batches.
    """

    def __init__(self, size: int, *, seed: int) -> None:
        self._size = size
        self._random = random.Random(seed)  # noqa: S311 - a sample, not a secret
        self._kept: list[int] = []
        self._seen = 0
        self._weight = 1.0
        self._next = 0
        """Place in the stream of the next row that is taken, once the reservoir is full."""

    def add(self, rows: pa.Int64Array) -> None:
        """Show a batch of row numbers."""
        fill = min(self._size - len(self._kept), len(rows))
        if fill > 0:
            self._kept.extend(rows[place].as_py() for place in range(fill))
            if len(self._kept) == self._size:
                self._next = self._seen + fill - 1
                self._skip()
        while len(self._kept) == self._size and self._next < self._seen + len(rows):
            self._kept[self._random.randrange(self._size)] = rows[self._next - self._seen].as_py()
            self._skip()
        self._seen += len(rows)

    @property
    def seen(self) -> int:
        """How many were shown."""
        return self._seen

    def rows(self) -> list[int]:
        """The sample, ascending."""
        return sorted(self._kept)

    def _skip(self) -> None:
        self._weight *= math.exp(math.log(1 - self._random.random()) / self._size)
        ahead = math.log(1 - self._random.random()) / math.log1p(-min(self._weight, _BELOW_ONE))
        self._next += math.floor(ahead) + 1
