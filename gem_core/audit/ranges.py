"""A file object for pyarrow that fetches planned pieces of a Source, and counts them. Edge."""

import io
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from gem_core.audit.plan import Span
from gem_core.audit.source import FileSource, Source
from gem_core.errors import OutputError

TAIL_BYTES = 64 << 10
"""First request of a file. The footer of a file of ten row groups is about 13 KB."""

HELD_PIECES = 8
"""pyarrow reads the needed columns of a row group side by side: one piece for each of four columns,
some that reach into the next column or row group. With pieces of 8 MiB, at most 64 MiB."""


class RangeFile(io.RawIOBase):
    """Reads a Source as pyarrow asks.

    The tail stays in memory. A read within a planned piece fetches the whole piece, which is held
    until all of it was read, or until others need its place. A read outside of the plan fetches
    just what was asked for, and so does every read of a local file.
    """

    def __init__(self, source: Source, fetched: "_Bytes | None" = None) -> None:
        super().__init__()
        self._bytes = fetched or _Bytes(source)
        self._position = 0

    def beside(self) -> "RangeFile":
        """Make a file with a position of its own, for another thread; all else is shared."""
        return RangeFile(self._bytes.source, self._bytes)

    @property
    def bytes_read(self) -> int:
        """Fetched so far."""
        return self._bytes.bytes_read

    @property
    def requests(self) -> int:
        """Made of the Source so far."""
        return self._bytes.requests

    @property
    def failure(self) -> OutputError | None:
        """What the Source raised, in case pyarrow takes it for a fault of the file."""
        return self._bytes.failure

    def load_tail(self, length: int) -> bytes:
        """Fetch the last `length` bytes (fewer of a shorter file) and keep them."""
        return self._bytes.load_tail(length)

    @property
    def tail_start(self) -> int:
        """Offset of the first byte of the tail that is held."""
        return self._bytes.tail_start

    def follow(self, pieces: Sequence[Span]) -> None:
        """Serve reads from these pieces (sorted, apart, before the tail) from now on."""
        self._bytes.follow(pieces)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Offset of the next byte."""
        return self._position

    def size(self) -> int:
        """Length of the file; pyarrow asks for it."""
        return self._bytes.source.size_bytes

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; fetches nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size()}[whence]
        if base + offset < 0:
            raise OSError(f"seek to {base + offset}")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes; fewer only at the end of the file."""
        left = max(0, self.size() - self._position)
        length = left if size is None or size < 0 else min(size, left)
        parts = []
        while length:
            part = self._bytes.part(self._position, length)
            parts.append(part)
            self._position += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class _Bytes:
    """What was fetched of a Source and is held; several threads may ask."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._near = isinstance(source, FileSource)
        """A local file has no latency: the system reads ahead, and small reads reuse memory."""
        self.tail_start = source.size_bytes
        self._tail = b""
        self._pieces: Sequence[Span] = ()
        self._starts: list[int] = []
        self._held: OrderedDict[int, bytes] = OrderedDict()
        self._unread: dict[int, int] = {}
        """Bytes of each held piece that were not asked for yet."""
        self._changing = Lock()
        """Held while pieces come and go."""
        self._counting = Lock()
        self.bytes_read = 0
        self.requests = 0
        self.failure: OutputError | None = None

    def load_tail(self, length: int) -> bytes:
        start = max(0, self.source.size_bytes - length)
        if start < self.tail_start:
            self._tail = self._fetch(start, self.tail_start - start) + self._tail
            self.tail_start = start
        return self._tail[start - self.tail_start :]

    def follow(self, pieces: Sequence[Span]) -> None:
        self._pieces = pieces
        self._starts = [piece.start for piece in pieces]
        self._held.clear()
        self._unread.clear()

    def part(self, offset: int, length: int) -> bytes:
        """Give the bytes at `offset` as far as one place holds them."""
        if offset >= self.tail_start:
            start = offset - self.tail_start
            return self._tail[start : start + length]
        length = min(length, self.tail_start - offset)
        index = bisect_right(self._starts, offset) - 1
        if self._near:
            return self._fetch(offset, length)
        if index >= 0 and offset < self._pieces[index].end:
            return self._part_of_piece(index, offset - self._pieces[index].start, length)
        following = self._starts[index + 1] if index + 1 < len(self._starts) else self.tail_start
        return self._fetch(offset, min(length, following - offset))

    def _part_of_piece(self, index: int, start: int, length: int) -> bytes:
        with self._changing:
            part = self._piece(index)[start : start + length]
            self._unread[index] -= len(part)
            if self._unread[index] <= 0:
                del self._held[index]
            return part

    def _piece(self, index: int) -> bytes:
        if index not in self._held:
            if len(self._held) >= HELD_PIECES:
                self._held.popitem(last=False)
            piece = self._pieces[index]
            self._held[index] = self._fetch(piece.start, piece.length)
            self._unread[index] = piece.length
        self._held.move_to_end(index)
        return self._held[index]

    def _fetch(self, offset: int, length: int) -> bytes:
        try:
            data = self.source.read(offset, length)
        except OutputError as error:
            self.failure = error
            raise
        with self._counting:
            self.requests += 1
            self.bytes_read += len(data)
        return data
