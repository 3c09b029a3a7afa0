"""An external merge sort of text ids: in memory up to a limit, then in sorted runs on disk. Edge
(disk).

Ids of matched rows and of other rows are sorted apart, so that both can be counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.arrow.text import text_parts
from gem_core.audit.ids.in_order import IdCount
from gem_core.audit.ids.sorted_run import SortedRun
from gem_core.audit.ids.spill import SpillFile, SpillSpace
from gem_core.audit.ids.text_order import ROOM_BYTES, order_of, take_texts

CHUNK_BYTES = 256 << 10
"""About what is read of each run at once while runs are merged."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """Ids in the file: the ends of texts as Arrow has them, then the bytes of the texts."""

    offset: int
    rows: int
    text_bytes: int


@dataclass(slots=True)
class _Runs:
    """The ids of matched rows, or those of other rows."""

    held: list[pa.Array] = field(default_factory=list)
    held_bytes: int = 0
    held_rows: int = 0
    on_disk: list[list[_Stored]] = field(default_factory=list)
    """The chunks of each run."""

    @property
    def room_bytes(self) -> int:
        """Memory to sort the ids: they are copied twice, joined and then in order."""
        return 2 * self.held_bytes + ROOM_BYTES * self.held_rows

    def sort(self) -> None:
        """Replace the arrays in memory by one sorted array."""
        if self.held:
            keys = pa.concat_arrays(self.held)
            self.held.clear()
            self.held.append(take_texts(keys, order_of(keys)))

    def store(self, file: SpillFile) -> None:
        """Move the ids in memory to the end of the file, as one run."""
        self.sort()
        keys = self.held.pop()
        self.on_disk.append([_store(chunk, file) for chunk in _chunks(keys)])
        self.held_bytes = self.held_rows = 0

    def chunks(self, file: SpillFile | None) -> Iterator[Iterator[pa.Array]]:
        """The chunks of each sorted run, on disk and in memory."""
        if file:
            for run in self.on_disk:
                yield (_read(stored, file) for stored in run)
        for keys in self.held:
            yield _chunks(keys)


class TextSort:
    """All text ids of one file. `close` gives memory and disk back."""

    def __init__(self, limit_bytes: int, space: SpillSpace) -> None:
        """Use `limit_bytes` of memory, sorting included, and the space for the rest."""
        self._limit = limit_bytes
        self._space = space
        self._file: SpillFile | None = None
        self._kinds = (_Runs(), _Runs())
        self.spilled_bytes = 0

    def close(self) -> None:
        """Release memory and disk."""
        self._kinds = (_Runs(), _Runs())
        if self._file:
            self._file.close()

    def add(self, keys: pa.StringArray, matched: Mask | None) -> None:
        """Take ids (no nulls), and which of their rows are matched; None means none.

        Raises:
            SpillFull: they take more disk than is allowed.
            OSError: the disk is full, or the folder cannot be written.

        """
        for runs, some in zip(self._kinds, _parted(keys, matched), strict=True):
            if len(some):
                runs.held.append(some)
                runs.held_bytes += some.nbytes
                runs.held_rows += len(some)
                if sum(each.room_bytes for each in self._kinds) > self._limit:
                    self._spill(max(self._kinds, key=lambda each: each.held_bytes))

    def distinct(self, count: IdCount) -> Iterator[pa.StringArray]:
        """The distinct ids in order, counted as they pass. May be called again."""
        for runs in self._kinds:
            runs.sort()
        matched, others = (
            [SortedRun(chunks) for chunks in runs.chunks(self._file)] for runs in self._kinds
        )
        while True:
            matched = [run for run in matched if run.fill()]
            others = [run for run in others if run.fill()]
            if not matched and not others:
                return
            limit = pc.min(pa.concat_arrays([run.chunk[-1:] for run in (*matched, *others)]))
            of_matched = [run.take(_up_to(limit, run.chunk)) for run in matched]
            of_others = [run.take(_up_to(limit, run.chunk)) for run in others]
            keys = pa.concat_arrays([*of_matched, *of_others])
            # Equal ids keep their order, those of matched rows first.
            order = order_of(keys)
            is_matched = order < sum(len(part) for part in of_matched)
            yield count.add_matched_first(take_texts(keys, order), is_matched)

    def _spill(self, runs: _Runs) -> None:
        self._file = self._file or self._space.file()
        runs.store(self._file)
        self.spilled_bytes = self._file.tell()


def _up_to(limit: pa.Scalar, keys: pa.Array) -> int:
    return int(pc.less_equal(keys, limit).true_count)


def _chunks(keys: pa.StringArray) -> Iterator[pa.StringArray]:
    rows = max(1, CHUNK_BYTES * len(keys) // max(int(keys.nbytes), 1))
    return (keys[start : start + rows] for start in range(0, len(keys), rows))


def _store(keys: pa.StringArray, file: SpillFile) -> _Stored:
    offsets, data = text_parts(keys)
    stored = _Stored(file.tell(), len(keys), len(data))
    file.write((offsets - offsets[0]).data)
    file.write(data.data)
    return stored


def _read(stored: _Stored, file: SpillFile) -> pa.StringArray:
    offsets = np.empty(stored.rows + 1, np.int32)
    data = np.empty(stored.text_bytes, np.uint8)
    file.read_at(stored.offset, offsets.data)
    file.read_at(stored.offset + offsets.nbytes, data.data)
    return pa.StringArray.from_buffers(stored.rows, pa.py_buffer(offsets), pa.py_buffer(data))


def _parted(keys: pa.StringArray, matched: Mask | None) -> tuple[pa.StringArray, pa.StringArray]:
    """Copies of the ids of matched rows, and of the others: a view would keep the batch alive."""
    if matched is None:
        return keys[:0], pa.concat_arrays([keys, keys[:0]])
    return keys.filter(pa.array(matched)), keys.filter(pa.array(~matched))
