"""Ids in order: counting distinct ones, and merging two files, with nothing held. Pure."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.buffers import Mask
from gem_core.audit.keys import first_of
from gem_core.audit.verdict import EXAMPLES


class OutOfOrder(Exception):
    """An id is smaller than the one before it."""


class Distinct:
    """Counts the distinct ids of arrays that come in order, equal ones side by side."""

    def __init__(self) -> None:
        self.count = 0
        self._last: pa.Array | None = None
        """An array of the one id that came last."""

    def add(self, keys: pa.Array) -> pa.Array:
        """Fold the next ids (no nulls); gives back those that were not seen before.

        Raises:
            OutOfOrder: the arrays are not in order; the count is of no use any more.

        """
        if not len(keys):
            return keys
        fresh = pc.less(keys[:-1], keys[1:])
        first = self._last is None or _less(self._last, keys[:1])
        if not first or fresh.true_count != len(fresh):
            not_larger = pc.less_equal(keys[:-1], keys[1:])
            if not_larger.true_count != len(not_larger) or (
                self._last is not None and _less(keys[:1], self._last)
            ):
                raise OutOfOrder
            keys = keys.filter(pa.concat_arrays([pa.array([first]), fresh]))
        if len(keys):
            self._last = pa.concat_arrays([keys[-1:]])
        self.count += len(keys)
        return keys

    def add_distinct(self, keys: pa.Array, these: Mask) -> None:
        """Fold those of the next ids, known to be distinct among themselves and in order."""
        count = int(np.count_nonzero(these))
        if not count:
            return
        first = int(np.argmax(these))
        last = len(keys) - 1 - int(np.argmax(these[::-1]))
        again = self._last is not None and not _less(self._last, keys[first : first + 1])
        self.count += count - again
        self._last = pa.concat_arrays([keys[last : last + 1]])


class Merge:
    """Compares two files of distinct ids in order, piece by piece as they come."""

    def __init__(self, given: Iterator[pa.Array]) -> None:
        self._given = given
        self._left: pa.Array | None = None
        """Ids of the input that were pulled and not yet compared."""
        self.missing = 0
        self.invented = 0
        self.missing_first: list[str] = []
        self.invented_first: list[str] = []

    def add(self, keys: pa.Array) -> None:
        """Compare the next ids of the output. Raises what the input's iterator raises."""
        while len(keys):
            if self._left is None or not len(self._left):
                self._left = next(self._given, None)
            if self._left is None:
                self._invent(keys)
                return
            if not len(self._left):
                continue
            limit = self._left[-1] if _less(self._left[-1:], keys[-1:]) else keys[-1]
            ours = pc.less_equal(keys, limit).true_count
            theirs = pc.less_equal(self._left, limit).true_count
            self._compare(keys[:ours], self._left[:theirs])
            keys, self._left = keys[ours:], self._left[theirs:]

    def finish(self) -> None:
        """The output has no more ids: what the input still has is missing."""
        if self._left is not None:
            self._miss(self._left)
        for keys in self._given:
            self._miss(keys)

    def _compare(self, ours: pa.Array, theirs: pa.Array) -> None:
        if not ours.equals(theirs):
            self._invent(_without(ours, theirs))
            self._miss(_without(theirs, ours))

    def _invent(self, keys: pa.Array) -> None:
        self.invented += len(keys)
        self.invented_first += first_of(keys, EXAMPLES - len(self.invented_first))

    def _miss(self, keys: pa.Array) -> None:
        self.missing += len(keys)
        self.missing_first += first_of(keys, EXAMPLES - len(self.missing_first))


def _less(left: pa.Array, right: pa.Array) -> bool:
    return bool(pc.less(left, right)[0].as_py())


def _without(keys: pa.Array, others: pa.Array) -> pa.Array:
    return keys.filter(pc.invert(pc.is_in(keys, value_set=others)))
