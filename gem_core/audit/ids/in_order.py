"""Ids in order: counting distinct ones, and merging two files, with nothing held. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, numbers, true_at
from gem_core.audit.ids.keys import first_of
from gem_core.audit.rows.example import EXAMPLES


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
        heads = self.heads(keys)
        return keys if heads.all() else keys.filter(pa.array(heads))

    def heads(self, keys: pa.Array) -> Mask:
        """Fold the next ids (no nulls); tells which were not seen before. Raises OutOfOrder."""
        heads = np.ones(len(keys), np.bool_)
        if not len(keys):
            return heads
        heads[1:] = _rising(keys)
        heads[0] = self._last is None or _less(self._last, keys[:1])
        if not heads.all():
            falls = _rising(keys, falling=True).any()
            if falls or (self._last is not None and _less(keys[:1], self._last)):
                raise OutOfOrder
        self._last = pa.concat_arrays([keys[-1:]])
        self.count += int(np.count_nonzero(heads))
        return heads

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


@dataclass(frozen=True, slots=True)
class Difference:
    """What one set of ids has and another lacks."""

    missing: int = 0
    """Distinct ids of the input that the output lacks."""
    invented: int = 0
    """Distinct ids of the output that the input lacks."""
    missing_first: tuple[str, ...] = ()
    """The smallest few."""
    invented_first: tuple[str, ...] = ()


class IdCount:
    """Distinct ids that come in order, and those that have a matched row."""

    def __init__(self) -> None:
        self.all = Distinct()
        self.of_matched = Distinct()

    def counts(self) -> tuple[int, int]:
        """Distinct ids, and those of them that have a matched row."""
        return self.all.count, self.of_matched.count

    def add(self, keys: pa.Array, matched: Mask) -> pa.Array:
        """Fold ids and which of their rows are matched; gives back the distinct ones."""
        fresh = self.all.add(keys)
        if len(fresh) == len(keys):
            # No repeats, so no need to look at the ids of the matched rows.
            self.of_matched.add_distinct(keys, matched)
        else:
            self.of_matched.add(keys.filter(pa.array(matched)))
        return fresh

    def add_matched_first(self, keys: pa.Array, matched: Mask) -> pa.Array:
        """Fold ids of which those of matched rows come before equal ones of other rows."""
        heads = self.all.heads(keys)
        self.of_matched.count += int(np.count_nonzero(heads & matched))
        return keys if heads.all() else keys.filter(pa.array(heads))


class Merge:
    """Compares two files of distinct ids in order, piece by piece as they come."""

    def __init__(self, input_keys: Iterator[pa.Array]) -> None:
        self._input_keys = input_keys
        self._left: pa.Array | None = None
        """Ids of the input that were pulled and not yet compared."""
        self._missing = 0
        self._invented = 0
        self._missing_first: list[str] = []
        self._invented_first: list[str] = []

    def add(self, keys: pa.Array) -> None:
        """Compare the next ids of the output. Raises what the input's iterator raises."""
        while len(keys):
            if self._left is None or not len(self._left):
                self._left = next(self._input_keys, None)
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

    def finish(self) -> Difference:
        """The output has no more ids: what the input still has is missing."""
        if self._left is not None:
            self._miss(self._left)
        for keys in self._input_keys:
            self._miss(keys)
        return Difference(
            self._missing, self._invented, tuple(self._missing_first), tuple(self._invented_first)
        )

    def _compare(self, ours: pa.Array, theirs: pa.Array) -> None:
        if not ours.equals(theirs):
            self._invent(_without(ours, theirs))
            self._miss(_without(theirs, ours))

    def _invent(self, keys: pa.Array) -> None:
        self._invented += len(keys)
        self._invented_first += first_of(keys, EXAMPLES - len(self._invented_first))

    def _miss(self, keys: pa.Array) -> None:
        self._missing += len(keys)
        self._missing_first += first_of(keys, EXAMPLES - len(self._missing_first))


class SameSequence:
    """Holds that two files have the same ids in the same order, whichever it is."""

    def __init__(self, input_keys: Iterator[pa.Array]) -> None:
        self._input_keys = input_keys
        self._left: pa.Array | None = None
        """Ids of the input that were pulled and not yet compared."""

    def add(self, keys: pa.Array) -> None:
        """Compare the next ids of the output.

        Raises:
            OutOfOrder: they are not the input's next ids.

        """
        while len(keys):
            while not self._left:
                self._left = next(self._input_keys, None)
                if self._left is None:
                    raise OutOfOrder
            count = min(len(keys), len(self._left))
            if not keys[:count].equals(self._left[:count]):
                raise OutOfOrder
            keys, self._left = keys[count:], self._left[count:]

    def finish(self) -> Difference:
        """Neither file has more ids. Raises OutOfOrder if the input has."""
        if self._left or any(len(keys) for keys in self._input_keys):
            raise OutOfOrder
        return Difference()


def ordered(arrays: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """Leave the distinct ones of ids in order. Raises OutOfOrder."""
    distinct = Distinct()
    for keys in arrays:
        yield distinct.add(keys)


def _rising(keys: pa.Array, *, falling: bool = False) -> Mask:
    """Which keys but the first are larger (smaller) than the one before."""
    if pa.types.is_integer(keys.type):
        values = numbers(keys)
        return values[1:] < values[:-1] if falling else values[1:] > values[:-1]
    compare = pc.less if falling else pc.greater
    return true_at(compare(keys[1:], keys[:-1]))


def _less(left: pa.Array, right: pa.Array) -> bool:
    return bool(pc.less(left, right)[0].as_py())


def _without(keys: pa.Array, others: pa.Array) -> pa.Array:
    return keys.filter(pc.invert(pc.is_in(keys, value_set=others)))
