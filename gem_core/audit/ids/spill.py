"""Files for what does not fit into memory: without a name, and bounded together. Edge: disk.

A file without a name is gone when its process is, however that ends. The bound holds for all files
of one space together. An instance audits one file at a time, so it needs one space for the process.
"""

import io
import os
import tempfile
from collections.abc import Buffer
from errno import EIO
from pathlib import Path
from threading import Lock
from typing import override


class SpillFull(Exception):
    """The files would take more than their bound, which says nothing about the disk."""


class SpillSpace:
    """Gives files, and counts their bytes until they are closed."""

    def __init__(self, limit_bytes: int, folder: Path | None = None) -> None:
        """Take nothing yet; files lie in `folder` (None: the system's temporary directory)."""
        self._limit = limit_bytes
        self._folder = folder
        self._lock = Lock()
        self.held_bytes = 0
        """In all files that are open."""

    def file(self) -> "SpillFile":
        """Make a new file, to be closed.

        Raises:
            OSError: the folder cannot be written to.

        """
        # Where the system can, it never has a name; elsewhere the name is removed at once.
        with tempfile.TemporaryFile(buffering=0, dir=self._folder) as file:
            return SpillFile(self, os.dup(file.fileno()))

    def take(self, count: int) -> None:
        """Count bytes that are about to be written; a negative number gives them back.

        Raises:
            SpillFull: they are too many.

        """
        with self._lock:
            if count > 0 and self.held_bytes + count > self._limit:
                raise SpillFull(
                    f"the ids are out of order and take more than {self._limit:,} bytes on disk, "
                    "the limit that GEM_IDS_DISK_MIB or --ids-disk sets"
                )
            self.held_bytes += count


class SpillFile(io.FileIO):
    """One file, for writing from its beginning to its end, and for reading anywhere."""

    def __init__(self, space: SpillSpace, descriptor: int) -> None:
        self._space = space
        self._counted = 0
        super().__init__(descriptor, "r+b")

    @override
    def write(self, data: Buffer, /) -> int:
        """Write all of it.

        Raises:
            SpillFull: the files of the space would be too large.
            OSError: the disk is full, for example.

        """
        view = memoryview(data)
        if not view.nbytes:
            return 0
        self._space.take(view.nbytes)
        self._counted += view.nbytes
        left = view.cast("B")
        while left:
            left = left[super().write(left) :]
        return view.nbytes

    def read_at(self, offset: int, buffer: Buffer) -> None:
        """Fill the buffer with the bytes from this offset on; the place for writing stays.

        Raises:
            OSError: they cannot be read back, or not all of them.

        """
        left = memoryview(buffer).cast("B")
        while left:
            count = os.preadv(self.fileno(), [left], offset)
            if not count:
                raise OSError(EIO, "ids that were written there cannot be read back")
            left, offset = left[count:], offset + count

    @override
    def close(self) -> None:
        """Give the file and its bytes back. May be called again."""
        super().close()
        self._space.take(-self._counted)
        self._counted = 0
