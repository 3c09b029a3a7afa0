"""Counts the distinct ids of a file in order; only the last id stays in memory. Pure."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, numbers, true_at
from gem_core.audit.ids.keys import is_less


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
        is_new[0] = self._last is None or is_less(self._last, keys[:1])
        if not is_new.all():
            falls = _rising(keys, falling=True).any()
            if falls or (self._last is not None and is_less(keys[:1], self._last)):
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
        is_repeat = self._last is not None and not is_less(self._last, keys[first : first + 1])
        self.count += count - is_repeat
        self._last = pa.concat_arrays([keys[last : last + 1]])


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
