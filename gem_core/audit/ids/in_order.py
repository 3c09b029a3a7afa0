"""Ids in order: counts distinct ones and merges two files, with no id in memory. Pure."""

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
    """Counts the distinct ids of arrays that come in order, equal ids next to each other."""

    def __init__(self) -> None:
        self.count = 0
        self._last: pa.Array | None = None
        """An array of one id, the last one so far."""

    def add(self, keys: pa.Array) -> pa.Array:
        """Count the next ids (no nulls), and return those that are new.

        Raises:
            OutOfOrder: the arrays are not in order; the count is of no use any more.

        """
        is_new = self.new(keys)
        return keys if is_new.all() else keys.filter(pa.array(is_new))

    def new(self, keys: pa.Array) -> Mask:
        """Count the next ids (no nulls), and return which are new. Raises OutOfOrder."""
        is_new = np.ones(len(keys), np.bool_)
        if not len(keys):
            return is_new
        is_new[1:] = _rising(keys)
        is_new[0] = self._last is None or _less(self._last, keys[:1])
        if not is_new.all():
            falls = _rising(keys, falling=True).any()
            if falls or (self._last is not None and _less(keys[:1], self._last)):
                raise OutOfOrder
        self._last = pa.concat_arrays([keys[-1:]])
        self.count += int(np.count_nonzero(is_new))
        return is_new

    def add_distinct(self, keys: pa.Array, some: Mask) -> None:
        """Count some of the next ids, known to be in order and without repeats."""
        count = int(np.count_nonzero(some))
        if not count:
            return
        first = int(np.argmax(some))
        last = len(keys) - 1 - int(np.argmax(some[::-1]))
        is_repeat = self._last is not None and not _less(self._last, keys[first : first + 1])
        self.count += count - is_repeat
        self._last = pa.concat_arrays([keys[last : last + 1]])


@dataclass(frozen=True, slots=True)
class Difference:
    """How the ids of the output differ from those of the input."""

    missing: int = 0
    """Distinct ids of the input that the output lacks."""
    extra: int = 0
    """Distinct ids of the output that the input lacks."""
    missing_first: tuple[str, ...] = ()
    """The smallest few."""
    extra_first: tuple[str, ...] = ()


class IdCount:
    """Distinct ids that come in order, and those that have a matched row."""

    def __init__(self) -> None:
        self.all = Distinct()
        self.of_matched = Distinct()

    def counts(self) -> tuple[int, int]:
        """Distinct ids, and those of them that have a matched row."""
        return self.all.count, self.of_matched.count

    def add(self, keys: pa.Array, matched: Mask) -> pa.Array:
        """Count ids, and which of their rows are matched; return the ids that are new."""
        new = self.all.add(keys)
        if len(new) == len(keys):
            # Without repeats, the ids of the matched rows need not be compared.
            self.of_matched.add_distinct(keys, matched)
        else:
            self.of_matched.add(keys.filter(pa.array(matched)))
        return new

    def add_matched_first(self, keys: pa.Array, matched: Mask) -> pa.Array:
        """Count ids, of which matched ones come before equal others; return those that are new."""
        is_new = self.all.new(keys)
        self.of_matched.count += int(np.count_nonzero(is_new & matched))
        return keys if is_new.all() else keys.filter(pa.array(is_new))


class Merge:
    """Compares the distinct ids of two files in order, array by array."""

    def __init__(self, input_keys: Iterator[pa.Array]) -> None:
        self._input_keys = input_keys
        self._left: pa.Array | None = None
        """Ids of the input that were read and not yet compared."""
        self._missing = 0
        self._extra = 0
        self._missing_first: list[str] = []
        self._extra_first: list[str] = []

    def add(self, keys: pa.Array) -> None:
        """Compare the next ids of the output. Raises what the input's iterator raises."""
        while len(keys):
            if self._left is None or not len(self._left):
                self._left = next(self._input_keys, None)
            if self._left is None:
                self._add_extra(keys)
                return
            if not len(self._left):
                continue
            limit = self._left[-1] if _less(self._left[-1:], keys[-1:]) else keys[-1]
            of_output = pc.less_equal(keys, limit).true_count
            of_input = pc.less_equal(self._left, limit).true_count
            self._compare(keys[:of_output], self._left[:of_input])
            keys, self._left = keys[of_output:], self._left[of_input:]

    def finish(self) -> Difference:
        """The output has no more ids: all ids that the input still has are missing."""
        if self._left is not None:
            self._add_missing(self._left)
        for keys in self._input_keys:
            self._add_missing(keys)
        return Difference(
            self._missing, self._extra, tuple(self._missing_first), tuple(self._extra_first)
        )

    def _compare(self, output_keys: pa.Array, input_keys: pa.Array) -> None:
        if not output_keys.equals(input_keys):
            self._add_extra(_without(output_keys, input_keys))
            self._add_missing(_without(input_keys, output_keys))

    def _add_extra(self, keys: pa.Array) -> None:
        self._extra += len(keys)
        self._extra_first += first_of(keys, EXAMPLES - len(self._extra_first))

    def _add_missing(self, keys: pa.Array) -> None:
        self._missing += len(keys)
        self._missing_first += first_of(keys, EXAMPLES - len(self._missing_first))


class SameSequence:
    """Tests whether two files have the same ids in the same order, in whatever order."""

    def __init__(self, input_keys: Iterator[pa.Array]) -> None:
        self._input_keys = input_keys
        self._left: pa.Array | None = None
        """Ids of the input that were read and not yet compared."""

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
        """The output has no more ids. Raises OutOfOrder if the input has."""
        if self._left or any(len(keys) for keys in self._input_keys):
            raise OutOfOrder
        return Difference()


def ordered(arrays: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """Drop repeats from ids in order. Raises OutOfOrder."""
    distinct = Distinct()
    for keys in arrays:
        yield distinct.add(keys)


def _rising(keys: pa.Array, *, falling: bool = False) -> Mask:
    """Which keys, from the second on, are larger (smaller) than the one before."""
    if pa.types.is_integer(keys.type):
        values = numbers(keys)
        return values[1:] < values[:-1] if falling else values[1:] > values[:-1]
    compare = pc.less if falling else pc.greater
    return true_at(compare(keys[1:], keys[:-1]))


def _less(left: pa.Array, right: pa.Array) -> bool:
    return bool(pc.less(left, right)[0].as_py())


def _without(keys: pa.Array, others: pa.Array) -> pa.Array:
    return keys.filter(pc.invert(pc.is_in(keys, value_set=others)))
