"""Ids in any order: held and sorted, beyond a bound in sorted runs on disk. Edge (disk).

Exact at any size. Ids of matched and of other rows are kept apart, so that both can be counted.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.buffers import Mask
from gem_core.audit.keys import sort_keys

CHUNK_BYTES = 512 << 10
"""Of each run, about, at hand at once while runs are merged."""


class _Run:
    """One sorted run, taken chunk by chunk."""

    def __init__(self, chunks: Iterator[pa.Array]) -> None:
        self._chunks = chunks
        self.chunk: pa.Array = pa.nulls(0)

    def fill(self) -> bool:
        """Have keys at hand; False when the run has ended."""
        while not len(self.chunk):
            following = next(self._chunks, None)
            if following is None:
                return False
            self.chunk = following
        return True

    def take(self, limit: pa.Scalar) -> pa.Array:
        """Remove and give the keys at hand up to and with the limit."""
        count = pc.less_equal(self.chunk, limit).true_count
        taken, self.chunk = self.chunk[:count], self.chunk[count:]
        return taken


@dataclass(slots=True)
class _Pile:
    """The ids of one kind of rows."""

    held: list[pa.Array] = field(default_factory=list)
    held_bytes: int = 0
    on_disk: list[Path] = field(default_factory=list)

    def sort(self) -> None:
        """Leave one sorted array in place of those held."""
        if self.held:
            keys = pa.concat_arrays(self.held)
            self.held.clear()
            self.held.append(sort_keys(keys))

    def runs(self) -> Iterator[Iterator[pa.Array]]:
        """Each sorted run, on disk and in memory, chunk by chunk."""
        for path in self.on_disk:
            yield _stored(path)
        for keys in self.held:
            rows = _chunk_rows(keys)
            yield (keys[start : start + rows] for start in range(0, len(keys), rows))


class IdRuns:
    """All ids of one file. Use it in a `with` statement; it removes its files."""

    def __init__(self, limit_bytes: int, folder: Path | None = None) -> None:
        """Hold `limit_bytes`, sorting included; `folder` (None: the system's) gets the rest."""
        self._limit = limit_bytes
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._piles = (_Pile(), _Pile())
        self.spilled_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self._piles = (_Pile(), _Pile())
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    def add(self, keys: pa.Array, matched: Mask | None) -> None:
        """Take ids (no nulls), and which of their rows are matched; None is nobody.

        Raises:
            OSError: the disk is full, or the folder cannot be written.

        """
        for pile, some in zip(self._piles, _parted(keys, matched), strict=True):
            if len(some):
                pile.held.append(some)
                pile.held_bytes += some.nbytes
                # Joined and sorted, ids take twice their room, text more: its order is 8 bytes.
                factor = 2 if pa.types.is_integer(keys.type) else 4
                if sum(each.held_bytes for each in self._piles) * factor > self._limit:
                    self._spill(max(self._piles, key=lambda each: each.held_bytes))

    def in_order(self) -> Iterator[tuple[pa.Array, pa.Array]]:
        """Go through all ids in order, some at a time: those of matched rows, and of the others.

        Each of the two in order and with repeats; equal ids of both come together. May be called
        again.
        """
        for pile in self._piles:
            pile.sort()
        matched, others = ([_Run(chunks) for chunks in pile.runs()] for pile in self._piles)
        while True:
            matched = [run for run in matched if run.fill()]
            others = [run for run in others if run.fill()]
            if not matched and not others:
                return
            limit = _least([run.chunk[-1:] for run in (*matched, *others)])
            yield (
                _merged([run.take(limit) for run in matched], limit.type),
                _merged([run.take(limit) for run in others], limit.type),
            )

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
        pile.held_bytes = 0
        self.spilled_bytes += path.stat().st_size


def _stored(path: Path) -> Iterator[pa.Array]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number).column(0)


def _chunk_rows(keys: pa.Array) -> int:
    return max(1, CHUNK_BYTES * len(keys) // max(int(keys.nbytes), 1))


def _parted(keys: pa.Array, matched: Mask | None) -> tuple[pa.Array, pa.Array]:
    """Copies, so that no batch is kept alive by them."""
    if matched is None:
        return keys[:0], pa.concat_arrays([keys, keys[:0]])
    if pa.types.is_integer(keys.type):
        values = keys.to_numpy()
        return pa.array(values[matched]), pa.array(values[~matched])
    return keys.filter(pa.array(matched)), keys.filter(pa.array(~matched))


def _least(keys: list[pa.Array]) -> pa.Scalar:
    return pc.min(pa.concat_arrays(keys))


def _merged(parts: list[pa.Array], kind: pa.DataType) -> pa.Array:
    parts = [part for part in parts if len(part)]
    if not parts:
        return pa.array([], kind)
    return parts[0] if len(parts) == 1 else sort_keys(pa.concat_arrays(parts))
