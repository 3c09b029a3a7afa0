"""A file in memory that keeps a list of what was asked of it, and fails when a test says so."""

from dataclasses import dataclass, field
from datetime import datetime

from gem_core.audit.reading.byte_range import ByteRange
from gem_core.errors import OutputError

DATA = bytes(n * 7 % 251 for n in range(5000))


@dataclass
class MemorySource:
    """A Source in memory."""

    data: bytes = DATA
    error: OutputError | None = None
    """What reads raise after the first `answers` of them."""
    answers: int = 0
    asked: list[ByteRange] = field(default_factory=list)
    url: str = "memory:"
    container: str = "default"
    name: str = "roads_matched.parquet"
    etag: str = "1"
    last_modified: datetime | None = None
    version_id: str | None = None
    head: bytes = b""

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        if self.error and len(self.asked) >= self.answers:
            raise self.error
        assert 0 <= offset < offset + length <= len(self.data)
        self.asked.append(ByteRange(offset, offset + length))
        return self.data[offset : offset + length]
