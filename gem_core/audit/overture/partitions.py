"""Records on disk, apart by the first bits of their key: a part fits into memory. Edge (disk)."""

from collections.abc import Iterator

import numpy as np

from gem_core.audit.ids.spill import SpillFile, SpillSpace

PART_RECORDS = 131_072
"""Of one part, about."""
_MOST_BITS = 8


def bits_for(records: int) -> int:
    """How many bits of the key to divide so many records by."""
    return min(_MOST_BITS, max(0, (records // PART_RECORDS).bit_length()))


class Partitions:
    """Records of one type, in files by the first bits of their key. Close it."""

    def __init__(self, space: SpillSpace, kind: np.dtype, bits: int) -> None:
        self.bits = bits
        self.count = 0
        """Records that were added."""
        self._kind = kind
        self._files: dict[int, SpillFile] = {}
        self._space = space

    def add(self, mixed: np.ndarray, records: np.ndarray) -> None:
        """Add records whose keys have these first bits.

        Raises:
            SpillFull: there is too much on disk.
            OSError: the disk is full, for example.

        """
        ends = np.array([len(records)])
        if self.bits:
            parts = (mixed >> np.uint64(64 - self.bits)).astype(np.uint8)
            records = records.take(np.argsort(parts, kind="stable"))
            ends = np.cumsum(np.bincount(parts))
        begin = 0
        for number, end in enumerate(ends.tolist()):
            if begin < end:
                self._file(number).write(records[begin:end])
            begin = end
        self.count += len(records)

    def __iter__(self) -> Iterator[np.ndarray]:
        """The records of each part, in the order in which they were added."""
        return map(self._part, range(1 << self.bits))

    def drain(self) -> Iterator[np.ndarray]:
        """Each part in turn; its file is removed once it is read."""
        for number, found in enumerate(self):
            if number in self._files:
                self._files.pop(number).close()
            yield found

    def close(self) -> None:
        """Remove everything from disk."""
        for file in self._files.values():
            file.close()

    def _file(self, number: int) -> SpillFile:
        if number not in self._files:
            self._files[number] = self._space.file()
        return self._files[number]

    def _part(self, number: int) -> np.ndarray:
        file = self._files.get(number)
        found = np.empty(file.tell() // self._kind.itemsize if file else 0, self._kind)
        if file:
            file.read_at(0, found)
        return found
