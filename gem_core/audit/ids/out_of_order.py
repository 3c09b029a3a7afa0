"""The output's ids when they come in no order: ticked off on a map, or sorted. Edge (disk, by
`text_runs` and `int_runs`).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.ids.bitmap import Bitmap, OutOfRange
from gem_core.audit.ids.in_order import Difference, IdCount, Merge, OutOfOrder, ordered
from gem_core.audit.ids.integer_sort import IntegerSort
from gem_core.audit.ids.text_sort import TextSort
from gem_core.audit.parquet.integer_range import IntegerRange

type Keys = Callable[[], Iterable[pa.Array]]
"""Ids without nulls, from the first one; may be called again."""

type FlaggedKeys = Callable[[], Iterable[tuple[pa.Array, Mask]]]
"""The same, with which of their rows are matched."""

type Runs = TextSort | IntegerSort


@dataclass(frozen=True, slots=True)
class SortMaker:
    """Makes what ids of one kind are sorted in."""

    kind: pa.DataType
    """int64 or text."""
    limit_bytes: int
    """Of ids held, for one file."""
    folder: Path | None

    def __call__(self) -> Runs:
        """Empty ones; close them."""
        make = IntegerSort if pa.types.is_integer(self.kind) else TextSort
        return make(self.limit_bytes, self.folder)


class OutOfOrderIds:
    """Takes ids in any order, counts and compares them."""

    def __init__(self, new_runs: SortMaker, span: IntegerRange | None, again: FlaggedKeys) -> None:
        """With a `span`, a map of it is tried first. `again` gives all ids once more."""
        self._new_runs = new_runs
        self._again = again
        self._map = Bitmap(span) if span else None
        self._runs: Runs | None = None if span else new_runs()
        self._incomplete = False
        """Whether ids were given that are not held."""
        self._counts: tuple[int, int] | None = None

    def close(self) -> None:
        """Let go of everything."""
        if self._runs:
            self._runs.close()

    def add(self, keys: pa.Array, matched: Mask) -> None:
        """Take ids of the output.

        Raises:
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
        elif self._runs:
            self._runs.add(keys, matched)

    def skip(self) -> None:
        """Go without ids from now on: all are read once more at the end."""
        self._incomplete = True

    def complete(self) -> None:
        """All were given: see to it that all are held. Raises what `again` does, and OSError."""
        if not self._incomplete:
            return
        self._incomplete = False
        if self._map:
            for keys, matched in self._again():
                self.add(keys, matched)
        if not self._map:
            self._sort_instead()

    def difference(self, input_keys: Keys) -> Difference:
        """Compare with the input. Raises what `input_keys` does, and OSError."""
        if self._map:
            try:
                return self._map.difference(input_keys())
            except OutOfRange:
                self._sort_instead()
        return difference(self._in_order, input_keys, self._new_runs)

    def counts(self) -> tuple[int, int]:
        """Distinct ids, and those of them that have a matched row."""
        if self._map:
            return self._map.counts()
        if self._counts is None:
            for _ in self._in_order():
                pass  # counts
        return self._counts or (0, 0)

    def _sort_instead(self) -> None:
        self._map = None
        self._incomplete = False
        self._runs = self._runs or self._new_runs()
        for keys, matched in self._again():
            self._runs.add(keys, matched)

    def _in_order(self) -> Iterator[pa.Array]:
        count = IdCount()
        if self._runs:
            yield from self._runs.distinct(count)
        self._counts = count.all.count, count.of_matched.count


def difference(
    output: Callable[[], Iterator[pa.Array]], input_keys: Keys, new_runs: SortMaker
) -> Difference:
    """Compare the output's distinct ids in order with the input's in any."""
    try:
        return _merged(output(), input_keys())
    except OutOfOrder:
        with closing(new_runs()) as runs:
            for keys in input_keys():
                runs.add(keys, None)
            return _merged(output(), runs.distinct(IdCount()))


def _merged(output: Iterator[pa.Array], input_keys: Iterable[pa.Array]) -> Difference:
    merge = Merge(ordered(input_keys))
    for keys in output:
        merge.add(keys)
    return merge.finish()
