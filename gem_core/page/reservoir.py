"""A uniform random sample of a stream of unknown length, in fixed memory, with a seed.

Source: K.-H. Li, "Reservoir-sampling algorithms of time complexity O(n(1+log(N/n)))" (1994),
Algorithm L.
"""

import math
import random

import pyarrow as pa

_BELOW_ONE = 1 - 1e-12
"""Rounding may give a weight of 1, and log(1 - 1) is undefined."""


class Reservoir:
    """Keeps at most `size` of all row numbers that are added.

    The same numbers in the same order give the same sample, for any division into batches.
    """

    def __init__(self, size: int, *, seed: int) -> None:
        self._size = size
        self._random = random.Random(seed)  # noqa: S311 - a sample, not a secret
        self._kept: list[int] = []
        self._seen = 0
        self._weight = 1.0
        self._next = 0
        """Index in the stream of the next row that is taken after the reservoir is full."""

    def add(self, rows: pa.Int64Array) -> None:
        """Add a batch of row numbers."""
        fill = min(self._size - len(self._kept), len(rows))
        if fill > 0:
            self._kept.extend(rows[:fill].to_pylist())
            if len(self._kept) == self._size:
                self._next = self._seen + fill - 1
                self._skip()
        while len(self._kept) == self._size and self._next < self._seen + len(rows):
            self._kept[self._random.randrange(self._size)] = rows[self._next - self._seen].as_py()
            self._skip()
        self._seen += len(rows)

    @property
    def seen(self) -> int:
        """Number of rows that were added."""
        return self._seen

    def rows(self) -> list[int]:
        """The sampled row numbers, ascending."""
        return sorted(self._kept)

    def _skip(self) -> None:
        self._weight *= math.exp(math.log(1 - self._random.random()) / self._size)
        ahead = math.log(1 - self._random.random()) / math.log1p(-min(self._weight, _BELOW_ONE))
        self._next += math.floor(ahead) + 1
