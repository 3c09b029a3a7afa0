"""The output's ids when they are not in order: marked in a map, or sorted. Edge (disk, by
`text_sort` and `integer_sort`).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.ids.bitmap import Bitmap, OutOfRange
from gem_core.audit.ids.comparison import Difference, Merge
from gem_core.audit.ids.in_order import IdCount, OutOfOrder, ordered
from gem_core.audit.ids.integer_sort import IntegerSort
from gem_core.audit.ids.spill import SpillFull, SpillSpace
from gem_core.audit.ids.text_sort import TextSort
from gem_core.audit.parquet.integer_range import IntegerRange

type Keys = Callable[[], Iterable[pa.Array]]
"""Ids without nulls, from the first one; may be called again."""

type FlaggedKeys = Callable[[], Iterable[tuple[pa.Array, Mask]]]
"""The same, and which of their rows are matched."""

type Sort = TextSort | IntegerSort


@dataclass(frozen=True, slots=True)
class SortMaker:
    """Makes sorts of ids of one kind."""

    kind: pa.DataType
    """int64 or text."""
    limit_bytes: int
    """Memory for the ids of one file."""
    space: SpillSpace
    """Disk for the ids of both files."""

    def __call__(self) -> Sort:
        """Make an empty one; close it."""
        make = IntegerSort if pa.types.is_integer(self.kind) else TextSort
        return make(self.limit_bytes, self.space)


class OutOfOrderIds:
    """Takes ids in any order, counts them and compares them."""

    def __init__(self, new_sort: SortMaker, span: IntegerRange | None, again: FlaggedKeys) -> None:
        """With a `span`, a map of it is tried first. `again` reads all ids again."""
        self._new_sort = new_sort
        self._again = again
        self._map = Bitmap(span) if span else None
        self._sort: Sort | None = None if span else new_sort()
        self._incomplete = False
        """Whether ids were passed over, so that all must be read again."""
        self._is_full = False
        """Whether the ids take more disk than is allowed, so that they are not known."""
        self._counts: tuple[int, int] | None = None

    def close(self) -> None:
        """Release memory and disk."""
        if self._sort:
            self._sort.close()

    def add(self, keys: pa.Array, matched: Mask) -> None:
        """Take ids of the output.

        Raises:
            SpillFull: they take more disk than is allowed.
            OSError: the temporary directory is full or cannot be written.

        """
        if self._incomplete:
            return
        if self._map:
            try:
                self._map.add(keys, matched)
            except OutOfRange:
                self._map = None
                self.skip()
        elif self._sort:
            self._add_to(self._sort, keys, matched)

    def skip(self) -> None:
        """Take no more ids: all are read again at the end."""
        self._incomplete = True

    def complete(self) -> None:
        """After the last id: read all again if needed. Raises what `add` and `again` do."""
        if not self._incomplete:
            return
        self._incomplete = False
        if self._map:
            for keys, matched in self._again():
                self.add(keys, matched)
        if not self._map:
            self._sort_instead()

    def difference(self, input_keys: Keys) -> Difference:
        """Compare with the input. Raises what `input_keys` and `add` do."""
        if self._map:
            try:
                return self._map.difference(input_keys())
            except OutOfRange:
                self._sort_instead()
        return difference(self._in_order, input_keys, self._new_sort)

    def counts(self) -> tuple[int, int] | None:
        """Distinct ids, and those of them that have a matched row; None after SpillFull."""
        if self._is_full:
            return None
        if self._map:
            return self._map.counts()
        if self._counts is None:
            for _ in self._in_order():
                pass  # the ids are counted as they pass
        return self._counts or (0, 0)

    def _sort_instead(self) -> None:
        self._map = None
        self._incomplete = False
        self._sort = sort = self._sort or self._new_sort()
        for keys, matched in self._again():
            self._add_to(sort, keys, matched)

    def _add_to(self, sort: Sort, keys: pa.Array, matched: Mask) -> None:
        try:
            sort.add(keys, matched)
        except SpillFull:
            sort.close()
            self._is_full = True
            raise

    def _in_order(self) -> Iterator[pa.Array]:
        count = IdCount()
        if self._sort:
            yield from self._sort.distinct(count)
        self._counts = count.all.count, count.of_matched.count


def difference(
    output: Callable[[], Iterator[pa.Array]], input_keys: Keys, new_sort: SortMaker
) -> Difference:
    """Compare the output's distinct ids, in order, with the input's, in any order."""
    try:
        return _merged(output(), input_keys())
    except OutOfOrder:
        with closing(new_sort()) as sort:
            for keys in input_keys():
                sort.add(keys, None)
            return _merged(output(), sort.distinct(IdCount()))


def _merged(output: Iterator[pa.Array], input_keys: Iterable[pa.Array]) -> Difference:
    merge = Merge(ordered(input_keys))
    for keys in output:
        merge.add(keys)
    return merge.finish()
