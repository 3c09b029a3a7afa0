"""Spreads rows over partitions by a hash of one column, so that equal values come together. Edge
(disk).

A partition is small enough to be handled in memory. All lie in one file without a name, whose size
is bounded (`ids.spill`).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import numbers
from gem_core.audit.arrow.text import text_parts
from gem_core.audit.ids.spill import SpillFile, SpillSpace
from gem_core.succession.gers_bytes import BITS, as_rows

PARTITION_ROWS = 1 << 18
"""Rows of a partition, about."""
_MOST_PARTITIONS = 1 << 12

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2**64 divided by the golden ratio: Knuth's multiplicative hashing."""
_OTHER_FACTOR = np.uint64(0xC2B2AE3D27D4EB4F)
_WORD = 8


def partitions_for(rows: int) -> int:
    """How many partitions so many rows need: a power of two."""
    return min(1 << (rows // PARTITION_ROWS).bit_length(), _MOST_PARTITIONS)


class Spread:
    """Rows by partition, on disk. Close it."""

    def __init__(self, space: SpillSpace, schema: pa.Schema, partitions: int) -> None:
        """Hash the first column of the schema.

        Raises:
            OSError: the folder cannot be written to.

        """
        self._schema = schema
        self._file: SpillFile = space.file()
        self._bits = partitions.bit_length() - 1
        self._pieces: list[list[tuple[int, int]]] = [[] for _ in range(partitions)]
        """Of each partition: where its batches begin, and their bytes."""

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows.

        Raises:
            SpillFull: they take more disk than is allowed.
            OSError: the disk is full, for example.

        """
        if not batch.num_rows:
            return
        places = (_hash(batch.column(0)) >> np.uint64(64 - self._bits)) if self._bits else None
        if places is None:
            self._write(0, batch)
            return
        places = places.astype(np.uint16)
        order = np.argsort(places, kind="stable")
        sorted_ = batch.take(pa.array(order))
        ends = np.searchsorted(places[order], np.arange(len(self._pieces) + 1))
        for number in np.flatnonzero(np.diff(ends)).tolist():
            start = int(ends[number])
            self._write(number, sorted_.slice(start, int(ends[number + 1]) - start))

    def __iter__(self) -> Iterator[pa.Table]:
        """The rows of each partition. Raises OSError if they cannot be read back."""
        for number in range(len(self._pieces)):
            yield self.partition(number)

    def partition(self, number: int) -> pa.Table:
        """The rows of one partition. Raises OSError if they cannot be read back."""
        return pa.Table.from_batches(
            [self._read(*piece) for piece in self._pieces[number]], self._schema
        )

    def _write(self, number: int, rows: pa.RecordBatch) -> None:
        data = rows.serialize()
        self._pieces[number].append((self._file.tell(), data.size))
        self._file.write(data)

    def _read(self, offset: int, length: int) -> pa.RecordBatch:
        data = pa.allocate_buffer(length)
        self._file.read_at(offset, data)
        return pa.ipc.read_record_batch(data, self._schema)


def _hash(values: pa.Array) -> np.ndarray:
    """Numbers of 64 bits. Equal values have equal ones; a null has any."""
    if pa.types.is_fixed_size_binary(values.type):
        words = np.ascontiguousarray(as_rows(values)[:, :BITS]).view(np.uint64)
        return _mixed(words[:, 0], words[:, 1])
    if pa.types.is_integer(values.type):
        keys = numbers(values).astype(np.uint64)
        return _mixed(keys, keys)
    return _mixed(*_text_words(values))


def _mixed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    mixed: np.ndarray = (one * _FACTOR) ^ (other * _OTHER_FACTOR)
    mixed ^= mixed >> np.uint64(29)
    return mixed * _FACTOR


def _text_words(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last eight bytes of each text. Texts that differ only between them share a
    partition, which costs memory and nothing else.
    """
    offsets, data = text_parts(texts)
    padding = np.zeros(_WORD, np.uint8)
    padded = np.concatenate([padding, data, padding])
    words = np.ndarray(len(data) + _WORD + 1, "<u8", padded, strides=(1,))
    starts, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    missing = np.clip(_WORD - (ends - starts), 0, _WORD).astype(np.uint64) * np.uint64(8)
    # What belongs to other texts is shifted out; a shift by 64 bits would do nothing.
    empty = missing == np.uint64(64)
    shift = np.where(empty, np.uint64(0), missing)
    first = np.where(empty, np.uint64(0), words[starts + _WORD] << shift)
    last = np.where(empty, np.uint64(0), words[ends] >> shift)
    return first.astype(np.uint64), last.astype(np.uint64)
