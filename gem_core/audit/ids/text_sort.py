"""Text ids in any order: held and sorted, beyond a bound in sorted runs on disk. Edge (disk).

Exact at any size. Ids of matched and of other rows are kept apart, so that both can be counted.
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
from gem_core.audit.ids.text_order import ROOM_BYTES, order_of, taken

CHUNK_BYTES = 256 << 10
"""Of each run, about, at hand at once while runs are merged."""


@dataclass(slots=True)
class _Pile:
    """The ids of one kind of rows."""

    held: list[pa.Array] = field(default_factory=list)
    held_bytes: int = 0
    held_rows: int = 0
    on_disk: list[Path] = field(default_factory=list)

    @property
    def room_bytes(self) -> int:
        """What sorting them takes: they are copied joined, and then in order."""
        return 2 * self.held_bytes + ROOM_BYTES * self.held_rows

    def sort(self) -> None:
        """Leave one sorted array in place of those held."""
        if self.held:
            keys = pa.concat_arrays(self.held)
            self.held.clear()
            self.held.append(taken(keys, order_of(keys)))

    def runs(self) -> Iterator[Iterator[pa.Array]]:
        """Each sorted run, on disk and in memory, chunk by chunk."""
        for path in self.on_disk:
            yield _stored(path)
        for keys in self.held:
            rows = _chunk_rows(keys)
            yield (keys[start : start + rows] for start in range(0, len(keys), rows))


class TextSort:
    """All text ids of one file. `close` removes its files."""

    def __init__(self, limit_bytes: int, folder: Path | None = None) -> None:
        """Hold `limit_bytes`, sorting included; `folder` (None: the system's) gets the rest."""
        self._limit = limit_bytes
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._piles = (_Pile(), _Pile())
        self.spilled_bytes = 0

    def close(self) -> None:
        """Let go of everything."""
        self._piles = (_Pile(), _Pile())
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def add(self, keys: pa.StringArray, matched: Mask | None) -> None:
        """Take ids (no nulls), and which of their rows are matched; None is nobody.

        Raises:
            OSError: the disk is full, or the folder cannot be written.

        """
        for pile, some in zip(self._piles, _parted(keys, matched), strict=True):
            if len(some):
                pile.held.append(some)
                pile.held_bytes += some.nbytes
                pile.held_rows += len(some)
                if sum(each.room_bytes for each in self._piles) > self._limit:
                    self._spill(max(self._piles, key=lambda each: each.held_bytes))

    def distinct(self, count: IdCount) -> Iterator[pa.StringArray]:
        """Go through the distinct ids in order, and count them. May be called again."""
        for pile in self._piles:
            pile.sort()
        matched, others = ([SortedRun(chunks) for chunks in pile.runs()] for pile in self._piles)
        while True:
            matched = [run for run in matched if run.fill()]
            others = [run for run in others if run.fill()]
            if not matched and not others:
                return
            limit = pc.min(pa.concat_arrays([run.chunk[-1:] for run in (*matched, *others)]))
            of_matched = [run.take(_up_to(limit, run.chunk)) for run in matched]
            of_others = [run.take(_up_to(limit, run.chunk)) for run in others]
            keys = pa.concat_arrays([*of_matched, *of_others])
            # Equal ids stay as they lie, those of matched rows first.
            order = order_of(keys)
            is_matched = order < sum(len(part) for part in of_matched)
            yield count.add_matched_first(taken(keys, order), is_matched)

    def _spill(self, pile: _Pile) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="gem-ids-", dir=self._parent)
        path = Path(self._folder.name) / f"{id(pile)}-{len(pile.on_disk)}.arrow"
        pile.sort()
        keys = pile.held.pop()
        rows = _chunk_rows(keys)
        batch = pa.record_batch([keys], names=["id"])
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            for start in range(0, len(keys), rows):
                writer.write_batch(batch.slice(start, rows))
        pile.on_disk.append(path)
        pile.held_bytes = pile.held_rows = 0
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
    """Copies, so that no batch is kept alive by them."""
    if matched is None:
        return keys[:0], pa.concat_arrays([keys, keys[:0]])
    return keys.filter(pa.array(matched)), keys.filter(pa.array(~matched))
