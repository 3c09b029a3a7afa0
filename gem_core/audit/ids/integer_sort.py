"""An external sort of integer ids: each id is sorted once while all fit into memory. Edge (disk).

The high bits of an id choose its partition, so four bytes hold the rest of it. Partitions follow
each other, and each is sorted for itself. What exceeds the memory goes to disk as sorted runs,
which are merged at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask, numbers
from gem_core.audit.ids.in_order import IdCount
from gem_core.audit.ids.sorted_run import SortedRun
from gem_core.audit.ids.spill import SpillFile, SpillSpace

MERGE_IDS = 1 << 19
"""Ids of all runs together in one step of a merge: enough that steps cost little, few enough for
the cache."""

_NARROW, _WIDE = np.dtype(np.uint32), np.dtype(np.uint64)
"""What holds an id without its high bits. Wide: 0 and more are one partition, the others another.
"""
_MOST_PARTITIONS = 256
"""Their numbers, counted from the smallest, fit into one byte. Ids of a wider span are wide."""


@dataclass(slots=True)
class _Partition:
    """Ids that share their high bits.

    The lowest bit of a value says that its row is not matched, so one order serves both counts.
    """

    block: np.ndarray
    filled: int = 0
    is_sorted: bool = True
    runs: list[tuple[int, int]] = field(default_factory=list)
    """On disk: offset in bytes and number of ids of each."""

    def add(self, values: np.ndarray) -> None:
        """Take values. The block grows where it lies, without a copy of it."""
        end = self.filled + len(values)
        if end > len(self.block):
            # No other array uses these bytes: views of them live only while `in_order` runs.
            self.block.resize(max(end, len(self.block) * 5 // 4), refcheck=False)
        self.block[self.filled : end] = values
        self.filled, self.is_sorted = end, False

    def held(self) -> np.ndarray:
        """The sorted values in memory."""
        values = self.block[: self.filled]
        if not self.is_sorted:
            values.sort()
            self.is_sorted = True
        return values

    def spill(self, file: SpillFile) -> None:
        """Move the values to the end of the file."""
        if self.filled:
            self.runs.append((file.tell(), self.filled))
            file.write(self.held().data)
            self.block, self.filled = np.empty(0, self.block.dtype), 0


class _Partitions:
    """All ids of one file, each in `kind` of number."""

    def __init__(self, kind: np.dtype[np.unsignedinteger], space: SpillSpace) -> None:
        self.kind = kind
        self._shift = 8 * kind.itemsize - 1
        self._space = space
        self._file: SpillFile | None = None
        self._parts: dict[int, _Partition] = {}

    @property
    def held_bytes(self) -> int:
        """In memory."""
        return sum(part.block.nbytes for part in self._parts.values())

    def close(self) -> None:
        """Release memory and disk."""
        self._parts.clear()
        if self._file:
            self._file.close()

    def holds(self, ids: np.ndarray) -> bool:
        """Whether ids (at least one) keep the number of partitions within its bound."""
        numbers = (*self._parts, int(ids.min()) >> self._shift, int(ids.max()) >> self._shift)
        return max(numbers) - min(numbers) < _MOST_PARTITIONS

    def add(self, ids: np.ndarray, unmatched: Mask) -> None:
        """Take ids (at least one) that it `holds`."""
        values = ids.astype(self.kind)
        values <<= 1
        values |= unmatched
        least, most = int(ids.min()) >> self._shift, int(ids.max()) >> self._shift
        if least == most:
            self._part(least).add(values)
            return
        places = ((ids >> self._shift) - least).astype(np.uint8)
        order = np.argsort(places, kind="stable")
        ends = np.searchsorted(places.take(order), np.arange(1, most - least + 1))
        for number, some in enumerate(np.split(values.take(order), ends), least):
            if len(some):
                self._part(number).add(some)

    def spill(self) -> int:
        """Move what is in memory to disk. Returns its bytes. Raises SpillFull and OSError."""
        self._file = self._file or self._space.file()
        before = self._file.tell()
        for part in self._parts.values():
            part.spill(self._file)
        return self._file.tell() - before

    def in_order(self, *, last_time: bool = False) -> Iterator[tuple[np.ndarray, Mask]]:
        """Ids in order, some at a time, and which rows are matched; equal ids: matched rows first.

        With `last_time`, each partition is released when it has passed.
        """
        for number in sorted(self._parts):
            for values in self._merged(self._parts[number]):
                ids = (values >> 1).astype(np.int64)
                ids |= number << self._shift
                yield ids, (values & 1) == 0
            if last_time:
                del self._parts[number]

    def _part(self, number: int) -> _Partition:
        if number not in self._parts:
            self._parts[number] = _Partition(np.empty(0, self.kind))
        return self._parts[number]

    def _merged(self, part: _Partition) -> Iterator[np.ndarray]:
        rows = max(1, MERGE_IDS // (len(part.runs) + 1))
        runs = [SortedRun(self._stored(*run, rows)) for run in part.runs]
        if part.filled:
            held = part.held()
            runs.append(SortedRun(held[at : at + rows] for at in range(0, len(held), rows)))
        while runs := [run for run in runs if run.fill()]:
            limit = min(run.chunk[-1] for run in runs)
            counts = (int(np.searchsorted(run.chunk, limit, side="right")) for run in runs)
            taken = [run.take(count) for run, count in zip(runs, counts, strict=True)]
            if len(taken) == 1:
                yield taken[0]
            else:
                values = np.concatenate(taken)
                values.sort()
                yield values

    def _stored(self, offset: int, length: int, rows: int) -> Iterator[np.ndarray]:
        assert self._file  # noqa: S101 - a run is in it
        for start in range(0, length, rows):
            values = np.empty(min(rows, length - start), self.kind)
            self._file.read_at(offset + start * self.kind.itemsize, values.data)
            yield values


class IntegerSort:
    """All integer ids of one file. `close` gives memory and disk back."""

    def __init__(self, limit_bytes: int, space: SpillSpace) -> None:
        """Use `limit_bytes` of memory, and the space for the rest."""
        self._limit = limit_bytes
        self._space = space
        self._partitions = _Partitions(_NARROW, space)
        self.spilled_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Memory that ids use."""
        return self._partitions.held_bytes

    def close(self) -> None:
        """Release memory and disk."""
        self._partitions.close()

    def add(self, keys: pa.Array, matched: Mask | None) -> None:
        """Take int64 ids (no nulls), and which of their rows are matched; None means none.

        Raises:
            SpillFull: they take more disk than is allowed.
            OSError: the disk is full, or the folder cannot be written.

        """
        if len(keys):
            unmatched = np.ones(len(keys), np.bool_) if matched is None else ~matched
            self._add(numbers(keys), unmatched)

    def distinct(self, count: IdCount) -> Iterator[pa.Array]:
        """The distinct ids in order, counted as they pass. May be called again."""
        for ids, matched in self._partitions.in_order():
            yield count.add_matched_first(pa.array(ids), matched)

    def _add(self, ids: np.ndarray, unmatched: Mask) -> None:
        if not self._partitions.holds(ids):
            self._widen()
        self._partitions.add(ids, unmatched)
        if self.held_bytes > self._limit:
            self.spilled_bytes += self._partitions.spill()

    def _widen(self) -> None:
        """Put all ids into wide numbers."""
        narrow, self._partitions = self._partitions, _Partitions(_WIDE, self._space)
        if 3 * narrow.held_bytes > self._limit:  # the wide ones take twice as much beside them
            self.spilled_bytes += narrow.spill()
        for ids, matched in narrow.in_order(last_time=True):
            self._add(ids, ~matched)
        narrow.close()
