"""Integer ids in any order: held in one block and sorted in place, beyond it in sorted runs on
disk. Edge (disk).

Ids of matched and of other rows fill the block from its two ends, so that both can be counted and
every 64-bit integer may occur.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from gem_core.audit.buffers import Mask, numbers
from gem_core.audit.sorted_ids import IdCount

CHUNK_BYTES = 512 << 10
"""Of each run at hand at once while runs are merged."""


class IntRuns:
    """All integer ids of one file. `close` removes its files."""

    def __init__(self, limit_bytes: int, folder: Path | None = None) -> None:
        """Hold `limit_bytes`; `folder` (None: the system's) gets the rest."""
        # Memory that was never written to takes no room.
        self._block = np.empty(max(limit_bytes // 8, 1), np.int64)
        self._front, self._back = 0, len(self._block)
        self._unsorted = False
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._on_disk: list[tuple[Path, Path]] = []
        self.spilled_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Of ids in memory."""
        return (self._front + len(self._block) - self._back) * self._block.itemsize

    def close(self) -> None:
        """Let go of everything."""
        self._block = self._block[:0]
        self._front = self._back = 0
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def add(self, keys: pa.Array, matched: Mask | None) -> None:
        """Take int64 ids (no nulls), and which of their rows are matched; None is nobody.

        Raises:
            OSError: the disk is full, or the folder cannot be written.

        """
        values = numbers(keys)
        if matched is None:
            matched = np.zeros(len(values), np.bool_)
        for start in range(0, len(values), len(self._block)):
            rows = slice(start, start + len(self._block))
            self._take(values[rows], matched[rows])

    def distinct(self, count: IdCount) -> Iterator[pa.Array]:
        """Go through the distinct ids in order, and count them. May be called again."""
        for matched, others in self.in_order():
            yield count.add_parted(matched, others)

    def in_order(self) -> Iterator[tuple[pa.Array, pa.Array]]:
        """Go through all ids in order, some at a time: those of matched rows, and of the others.

        Each of the two in order and with repeats; equal ids of both come together.
        """
        held = self._sorted()
        paths = zip(*self._on_disk, strict=True) if self._on_disk else ((), ())
        matched, others = (
            [_Run(_slices(part)), *(_Run(_stored(path)) for path in files)]
            for part, files in zip(held, paths, strict=True)
        )
        while True:
            matched = [run for run in matched if run.fill()]
            others = [run for run in others if run.fill()]
            if not matched and not others:
                return
            limit = min(run.chunk[-1] for run in (*matched, *others))
            yield (
                pa.array(_merged([run.take(limit) for run in matched])),
                pa.array(_merged([run.take(limit) for run in others])),
            )

    def _take(self, values: np.ndarray, matched: Mask) -> None:
        if len(values) > self._back - self._front:
            self._spill()
        these, others = np.flatnonzero(matched), np.flatnonzero(~matched)
        front, back = self._front + len(these), self._back - len(others)
        # All positions are in bounds; "clip" spares a copy.
        np.take(values, these, out=self._block[self._front : front], mode="clip")
        np.take(values, others, out=self._block[back : self._back], mode="clip")
        self._front, self._back = front, back
        self._unsorted = True

    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        parts = self._block[: self._front], self._block[self._back :]
        if self._unsorted:
            for part in parts:
                part.sort()
            self._unsorted = False
        return parts

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gem-ids-", dir=self._parent)
        name = f"{len(self._on_disk)}"
        paths = (
            Path(self._folder.name) / f"{name}-matched.ids",
            Path(self._folder.name) / f"{name}-others.ids",
        )
        for path, part in zip(paths, self._sorted(), strict=True):
            path.write_bytes(part.data)
            self.spilled_bytes += part.nbytes
        self._on_disk.append(paths)
        self._front, self._back = 0, len(self._block)


class _Run:
    """One sorted run, taken chunk by chunk."""

    def __init__(self, chunks: Iterator[np.ndarray]) -> None:
        self._chunks = chunks
        self.chunk = np.zeros(0, np.int64)

    def fill(self) -> bool:
        """Have ids at hand; False when the run has ended."""
        while not len(self.chunk):
            following = next(self._chunks, None)
            if following is None:
                return False
            self.chunk = following
        return True

    def take(self, limit: np.int64) -> np.ndarray:
        """Remove and give the ids at hand up to and with the limit."""
        count = int(np.searchsorted(self.chunk, limit, side="right"))
        taken, self.chunk = self.chunk[:count], self.chunk[count:]
        return taken


def _slices(ids: np.ndarray) -> Iterator[np.ndarray]:
    rows = max(CHUNK_BYTES // 8, 1)
    return (ids[start : start + rows] for start in range(0, len(ids), rows))


def _stored(path: Path) -> Iterator[np.ndarray]:
    with path.open("rb", buffering=0) as file:
        while data := file.read(CHUNK_BYTES // 8 * 8):
            yield np.frombuffer(data, np.int64)


def _merged(parts: list[np.ndarray]) -> np.ndarray:
    parts = [part for part in parts if len(part)]
    if len(parts) == 1:
        return parts[0]
    merged = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    merged.sort()
    return merged
