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
        self._kind = kind
        self.bits = bits
        self._files: list[SpillFile] = []
        self._space = space

    def __len__(self) -> int:
        return 1 << self.bits

    def add(self, mixed: np.ndarray, records: np.ndarray) -> None:
        """Add records whose keys have these first bits.

        Raises:
            SpillFull: there is too much on disk.
            OSError: the disk is full, for example.

        """
        while len(self._files) < len(self):
            self._files.append(self._space.file())
        if not self.bits:
            self._files[0].write(records)
            return
        parts = (mixed >> np.uint64(64 - self.bits)).astype(np.uint8)
        order = np.argsort(parts, kind="stable")
        records = records[order]
        ends = np.cumsum(np.bincount(parts, minlength=len(self)))
        begin = 0
        for file, end in zip(self._files, ends.tolist(), strict=True):
            file.write(records[begin:end])
            begin = end

    def part(self, number: int) -> np.ndarray:
        """The records of one part, in the order in which they were added."""
        if not self._files:
            return np.zeros(0, self._kind)
        file = self._files[number]
        found = np.empty(file.tell() // self._kind.itemsize, self._kind)
        file.read_at(0, found)
        return found

    def drain(self) -> Iterator[np.ndarray]:
        """Each part in turn; its file is removed once it is read."""
        for number in range(len(self)):
            found = self.part(number)
            if self._files:
                self._files[number].close()
            yield found

    def close(self) -> None:
        """Remove everything from disk."""
        for file in self._files:
            file.close()
