"""Integer ids that fill a range, in any order: marked in a map of one byte for each id. Pure."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask, numbers
from gem_core.audit.ids.comparison import Difference
from gem_core.audit.ids.facts import InputIds, OutputIds
from gem_core.audit.parquet.integer_range import IntegerRange
from gem_core.audit.rows.example import EXAMPLES

_IN_OUTPUT, _MATCHED, _INPUT = 1, 2, 4

_BLOCK = 1 << 16
"""Bytes of the map that are counted together."""

_SPARSEST = 8
"""Numbers of the range for each id, at most: sorting takes eight bytes for each id."""


class OutOfRange(Exception):
    """An id is outside of the range, so the footer that stated the range is wrong."""


def bitmap_range(
    key: pa.DataType, output: OutputIds, input_ids: InputIds | None, limit_bytes: int
) -> IntegerRange | None:
    """Choose the range of a map for both files; None when it is unknown or too large."""
    span = output.span
    if span and input_ids:
        span = span.covering(input_ids.span) if input_ids.span else None
    if not span or not pa.types.is_integer(key):
        return None
    return span if span.length <= min(limit_bytes, _SPARSEST * output.rows) else None


class Bitmap:
    """Marks which ids of a range occur in the output, in its matched rows, and in the input."""

    def __init__(self, span: IntegerRange) -> None:
        self._least = span.least
        self._most = span.most
        self._map = np.zeros(span.length, np.uint8)

    def add(self, keys: pa.Array, matched: Mask) -> None:
        """Mark ids of the output (int64, no nulls), and which of their rows are matched.

        Raises:
            OutOfRange: the map is of no use any more.

        """
        positions = self._positions(keys)
        self._map[positions.take(np.flatnonzero(matched))] = _IN_OUTPUT | _MATCHED
        # An id may have a matched row as well.
        self._map[positions.take(np.flatnonzero(~matched))] |= _IN_OUTPUT

    def counts(self) -> tuple[int, int]:
        """Distinct ids of the output, and those of them that have a matched row."""
        return self._count(_IN_OUTPUT, _IN_OUTPUT), self._count(_MATCHED, _MATCHED)

    def difference(self, input_keys: Iterable[pa.Array]) -> Difference:
        """Mark the input's ids too. Raises OutOfRange, and what `input_keys` raises."""
        for keys in input_keys:
            self._map[self._positions(keys)] |= _INPUT
        both = _INPUT | _IN_OUTPUT
        return Difference(
            missing=self._count(both, _INPUT),
            extra=self._count(both, _IN_OUTPUT),
            missing_first=tuple(self._first(both, _INPUT)),
            extra_first=tuple(self._first(both, _IN_OUTPUT)),
        )

    def _positions(self, keys: pa.Array) -> np.ndarray:
        values = numbers(keys)
        if len(values) and (values.min() < self._least or values.max() > self._most):
            raise OutOfRange
        return values - self._least

    def _blocks(self) -> Iterable[np.ndarray]:
        return (self._map[at : at + _BLOCK] for at in range(0, len(self._map), _BLOCK))

    def _count(self, bits: int, marked: int) -> int:
        """How many ids have just these of the bits marked."""
        return sum(int(np.count_nonzero((block & bits) == marked)) for block in self._blocks())

    def _first(self, bits: int, marked: int) -> Iterator[str]:
        """The smallest few of these ids, as text to show."""
        found = (
            str(self._least + number * _BLOCK + position)
            for number, block in enumerate(self._blocks())
            for position in np.flatnonzero((block & bits) == marked).tolist()
        )
        return islice(found, EXAMPLES)
