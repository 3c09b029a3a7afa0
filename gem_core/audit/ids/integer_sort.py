"""An external merge sort of integer ids: sorted blocks are kept as gaps between ids, in memory up
to a limit and on disk beyond it. Edge (disk).

The lowest bit of what is sorted says whether the row is matched, so that one order serves both
counts. It takes the place of the sign: negative ids are sorted apart.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import EIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask, numbers
from gem_core.audit.ids.in_order import IdCount
from gem_core.audit.ids.sorted_run import SortedRun

MERGE_IDS = 1 << 19
"""Ids of all runs together in one step of a merge: enough that steps cost little, few enough for
the cache."""

_BLOCKS = 8
"""Blocks of ids, eight bytes each, that fit into the limit. As gaps, most ids take four bytes."""

_SIGN = np.int64(-(2**63))


@dataclass(slots=True)
class _Packed:
    """A sorted run, as the gaps between its ids, which rarely need eight bytes."""

    first: np.uint64
    gaps: np.ndarray | Path
    """From each id to the one before; 0 for the first one. Or the file that holds them."""
    kind: np.dtype[np.unsignedinteger]
    length: int

    @property
    def held_bytes(self) -> int:
        """In memory."""
        return 0 if isinstance(self.gaps, Path) else self.gaps.nbytes

    def store(self, path: Path) -> None:
        """Move the gaps to a file."""
        if not isinstance(self.gaps, Path):
            path.write_bytes(self.gaps.data)
            self.gaps = path

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        """The ids, some `rows` at a time."""
        last = self.first
        for start in range(0, self.length, rows):
            ids = np.cumsum(self._part(start, rows), dtype=np.uint64)
            ids += last
            last = ids[-1]
            yield ids

    def _part(self, start: int, rows: int) -> np.ndarray:
        if not isinstance(self.gaps, Path):
            return self.gaps[start : start + rows]
        part = np.fromfile(self.gaps, self.kind, rows, offset=start * self.kind.itemsize)
        if len(part) != min(rows, self.length - start):
            raise OSError(EIO, "ids that were written there cannot be read back")
        return part


@dataclass(slots=True)
class _Sorter:
    """Sorts unsigned integers block by block."""

    block: np.ndarray
    filled: int = 0
    runs: list[_Packed] = field(default_factory=list)

    @property
    def held_bytes(self) -> int:
        """In memory."""
        return self.filled * self.block.itemsize + sum(run.held_bytes for run in self.runs)

    def take(self, ids: np.ndarray) -> np.ndarray:
        """Take as many as fit into the block, and return the others."""
        count = min(len(ids), len(self.block) - self.filled)
        self.block[self.filled : self.filled + count] = ids[:count]
        self.filled += count
        return ids[count:]

    def pack(self) -> None:
        """Turn the block into a run."""
        if not self.filled:
            return
        ids = self.block[: self.filled]
        ids.sort()
        gaps = np.diff(ids, prepend=ids[:1])
        if gaps.max() <= np.iinfo(np.uint32).max:
            gaps = gaps.astype(np.uint32)
        self.runs.append(_Packed(ids[0], gaps, gaps.dtype, len(ids)))
        self.filled = 0

    def in_order(self) -> Iterator[np.ndarray]:
        """All ids in order, some at a time."""
        self.pack()
        rows = max(1, MERGE_IDS // max(1, len(self.runs)))
        runs = [SortedRun(run.chunks(rows)) for run in self.runs]
        while runs := [run for run in runs if run.fill()]:
            limit = min(run.chunk[-1] for run in runs)
            counts = (int(np.searchsorted(run.chunk, limit, side="right")) for run in runs)
            ids = np.concatenate([run.take(count) for run, count in zip(runs, counts, strict=True)])
            if len(runs) > 1:
                ids.sort()
            yield ids


class IntegerSort:
    """All integer ids of one file. `close` removes its files."""

    def __init__(self, limit_bytes: int, folder: Path | None = None) -> None:
        """Use `limit_bytes` of memory, and `folder` (None: the system's) for the rest."""
        self._limit = limit_bytes
        self._negative, self._others = self._sorter(), self._sorter()
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stored = 0
        self.spilled_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Memory that ids use."""
        return self._negative.held_bytes + self._others.held_bytes

    def close(self) -> None:
        """Release memory and disk."""
        self._negative, self._others = self._sorter(), self._sorter()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def add(self, keys: pa.Array, matched: Mask | None) -> None:
        """Take int64 ids (no nulls), and which of their rows are matched; None means none.

        Raises:
            OSError: the disk is full, or the folder cannot be written.

        """
        values = numbers(keys)
        ids = values.view(np.uint64) << 1
        ids |= 1 if matched is None else ~matched
        negative = values < 0
        if negative.any():
            self._take(self._negative, ids[negative])
            ids = ids[~negative]
        self._take(self._others, ids)

    def distinct(self, count: IdCount) -> Iterator[pa.Array]:
        """The distinct ids in order, counted as they pass. May be called again."""
        for sorter, sign in ((self._negative, _SIGN), (self._others, np.int64(0))):
            for ids in sorter.in_order():
                keys = (ids >> 1).view(np.int64) | sign
                yield count.add_matched_first(pa.array(keys), (ids & 1) == 0)

    def _sorter(self) -> _Sorter:
        # The system gives memory only when it is written to.
        return _Sorter(np.empty(max(1, self._limit // _BLOCKS // 8), np.uint64))

    def _take(self, sorter: _Sorter, ids: np.ndarray) -> None:
        while len(ids):
            ids = sorter.take(ids)
            if sorter.filled == len(sorter.block):
                sorter.pack()
                if self.held_bytes + sorter.block.nbytes > self._limit:
                    self._spill()

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gem-ids-", dir=self._parent)
        for run in (*self._negative.runs, *self._others.runs):
            if held := run.held_bytes:
                run.store(Path(self._folder.name) / f"{self._stored}.ids")
                self._stored += 1
                self.spilled_bytes += held
