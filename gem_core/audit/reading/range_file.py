"""A file object for pyarrow over a Source: few requests, bounded memory, several readers. Edge."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from gem_core.audit.reading.byte_range import ByteRange, RowGroup
from gem_core.audit.reading.fetcher import Fetcher
from gem_core.audit.reading.pieces import pieces
from gem_core.audit.reading.read_ahead import ReadAhead, window_bytes
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError

TAIL_BYTES = 128 << 10
"""First request for the end of a file. The footer of a file of ten row groups is about 13 KB, of a
hundred 128 KB."""


class RangeFile(io.RawIOBase):
    """A Source as a file for pyarrow. Each thread needs its own: `beside` makes another one.

    Head and tail stay in memory. A read between them comes from the planned pieces. Outside of a
    plan, and of a local file, a read fetches exactly what it was asked for.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._fetcher = Fetcher(source)
        self._ahead: ReadAhead | None = None
        self._plans: set[ReadAhead] | None = set()
        """Plans that are not finished; None for a file that `beside` made."""
        self._position = 0

    def beside(self) -> "RangeFile":
        """Another file with its own position; everything else is shared."""
        other = RangeFile(self._fetcher.source)
        other._fetcher, other._ahead, other._plans = self._fetcher, self._ahead, None
        return other

    def close(self) -> None:
        """End the threads of all plans; waits for the requests in flight."""
        for ahead in self._plans or ():
            ahead.close()
        super().close()

    @contextmanager
    def planned(self, groups: Iterable[RowGroup]) -> Iterator["RangeFile"]:
        """Fetch the chunks of these row groups before they are decoded, in this order.

        Gives a file that reads them. The threads end with the context.
        """
        file = self.beside()
        if self._fetcher.is_local:
            yield file
            return
        chunks = list(groups)
        plan = pieces(chunks, start=self._fetcher.head_end, end=self._fetcher.tail_start)
        ahead = ReadAhead(plan, self._fetcher.fetch, window_bytes=window_bytes(chunks))
        file._ahead = ahead  # noqa: SLF001 - the same class
        if self._plans is not None:
            self._plans.add(ahead)
        try:
            yield file
        finally:
            ahead.close()
            if self._plans is not None:
                self._plans.discard(ahead)

    @property
    def bytes_read(self) -> int:
        """Bytes fetched so far, with those that came when the file was opened."""
        return self._fetcher.bytes_read

    @property
    def requests(self) -> int:
        """Requests made so far, with the one that opened the file if it brought any."""
        return self._fetcher.requests

    @property
    def failure(self) -> OutputError | None:
        """What the Source raised: pyarrow may report it as an error of the file."""
        return self._fetcher.failure

    def load_tail(self, length: int) -> bytes:
        """Fetch the last `length` bytes (fewer of a shorter file) and keep them."""
        return self._fetcher.load_tail(length)

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
        """Length of the file in bytes; pyarrow calls it."""
        return self._fetcher.source.size_bytes

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
            part = self._part(self._position, length)
            parts.append(part)
            self._position += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _part(self, offset: int, length: int) -> bytes:
        """The first bytes at `offset`: as many as one place has."""
        if found := self._fetcher.in_memory(offset, length):
            return found
        end = min(offset + length, self._fetcher.tail_start)
        if self._ahead:
            if part := self._ahead.part(offset, end - offset):
                return part
            end = min(end, self._ahead.following(offset, default=end))
        return self._fetcher.fetch(ByteRange(offset, end))
