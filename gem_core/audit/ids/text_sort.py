"""An external merge sort of text ids: in memory up to a limit, beyond it in sorted runs on disk.
Edge (disk).

Ids of matched rows and of other rows are sorted apart, so that both can be counted.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.ids.in_order import IdCount
from gem_core.audit.ids.sorted_run import SortedRun
from gem_core.audit.ids.text_order import ROOM_BYTES, order_of, take_texts

CHUNK_BYTES = 256 << 10
"""About what is read of each run at once while runs are merged."""


@dataclass(slots=True)
class _Runs:
    """The ids of matched rows, or those of other rows."""

    held: list[pa.Array] = field(default_factory=list)
    held_bytes: int = 0
    held_rows: int = 0
    on_disk: list[Path] = field(default_factory=list)

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

    def chunks(self) -> Iterator[Iterator[pa.Array]]:
        """The chunks of each sorted run, on disk and in memory."""
        for path in self.on_disk:
            yield _stored(path)
        for keys in self.held:
            rows = _chunk_rows(keys)
            yield (keys[start : start + rows] for start in range(0, len(keys), rows))


class TextSort:
    """All text ids of one file. `close` removes its files."""

    def __init__(self, limit_bytes: int, folder: Path | None = None) -> None:
        """Use `limit_bytes` of memory, sorting included; `folder` (None: the system's) beyond."""
        self._limit = limit_bytes
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._kinds = (_Runs(), _Runs())
        self.spilled_bytes = 0

    def close(self) -> None:
        """Release memory and disk."""
        self._kinds = (_Runs(), _Runs())
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def add(self, keys: pa.StringArray, matched: Mask | None) -> None:
        """Take ids (no nulls), and which of their rows are matched; None means none.

        Raises:
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
        matched, others = ([SortedRun(chunks) for chunks in runs.chunks()] for runs in self._kinds)
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
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gem-ids-", dir=self._parent)
        path = Path(self._folder.name) / f"{id(runs)}-{len(runs.on_disk)}.arrow"
        runs.sort()
        keys = runs.held.pop()
        rows = _chunk_rows(keys)
        batch = pa.record_batch([keys], names=["id"])
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            for start in range(0, len(keys), rows):
                writer.write_batch(batch.slice(start, rows))
        runs.on_disk.append(path)
        runs.held_bytes = runs.held_rows = 0
        self.spilled_bytes += path.stat().st_size


def _up_to(limit: pa.Scalar, keys: pa.Array) -> int:
    return int(pc.less_equal(keys, limit).true_count)


def _stored(path: Path) -> Iterator[pa.Array]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number).column(0)


def _chunk_rows(keys: pa.Array) -> int:
    return max(1, CHUNK_BYTES * len(keys) // max(int(keys.nbytes), 1))


def _parted(keys: pa.StringArray, matched: Mask | None) -> tuple[pa.StringArray, pa.StringArray]:
    """Copies of the ids of matched rows, and of the others: a view would keep the batch alive."""
    if matched is None:
        return keys[:0], pa.concat_arrays([keys, keys[:0]])
    return keys.filter(pa.array(matched)), keys.filter(pa.array(~matched))
