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
        self.bytes_read = 0
        self.requests = 0
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
        if start < self.tail_start:
            self._tail = self.fetch(ByteRange(start, self.tail_start)) + self._tail
            self.tail_start = start
        return self._tail[start - self.tail_start :]

    def in_memory(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset` from the head or the tail; empty for others."""
        if offset >= self.tail_start:
            start = offset - self.tail_start
            return self._tail[start : start + length]
        return self.source.head[offset : offset + min(length, self.tail_start - offset)]
