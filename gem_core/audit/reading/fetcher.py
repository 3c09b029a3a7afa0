"""Fetches ranges of a Source: keeps both ends, counts, remembers a failure. Thread-safe. Edge."""

from threading import Lock

from gem_core.audit.reading.byte_range import ByteRange
from gem_core.audit.reading.source import FileSource, Source
from gem_core.errors import OutputError


class Fetcher:
    """Fetches ranges of one Source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.is_local = isinstance(source, FileSource)
        """A local file needs no read-ahead: the operating system does it."""
        self.head_end = len(source.head)
        """Offset after the last byte of the head, which the Source has in memory."""
        self.bytes_read = self.head_end
        self.requests = int(self.head_end > 0)
        self.failure: OutputError | None = None
        """What the Source raised first: pyarrow may report it as an error of the file."""
        self.tail_start = source.size_bytes
        """Offset of the first byte of the tail in memory."""
        self._tail = b""
        self._lock = Lock()

    def fetch(self, span: ByteRange) -> bytes:
        """Read a range: one request.

        Raises:
            OutputError: as the Source raised it.

        """
        try:
            data = self.source.read(span.start, span.length)
        except OutputError as error:
            with self._lock:
                self.failure = self.failure or error
            raise
        with self._lock:
            self.requests += 1
            self.bytes_read += len(data)
        return data

    def load_tail(self, length: int) -> bytes:
        """Fetch the last `length` bytes (fewer of a shorter file) and keep them."""
        start = max(0, self.source.size_bytes - length)
        lacking = ByteRange(max(start, self.head_end), self.tail_start)
        if lacking.length > 0:
            self._tail = self.fetch(lacking) + self._tail
            self.tail_start = lacking.start
        return self.source.head[start:] + self._tail[max(0, start - self.tail_start) :]

    def in_memory(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset` from the head or the tail; empty for others."""
        if offset < self.head_end:
            return self.source.head[offset : offset + length]
        if offset < self.tail_start:
            return b""
        start = offset - self.tail_start
        return self._tail[start : start + length]
