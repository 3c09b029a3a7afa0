"""The file object that pyarrow reads: right bytes, few requests, bounded memory."""

import io
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.plan import Span
from gem_core.audit.ranges import HELD_PIECES, RangeFile
from gem_core.errors import OutputChanged, OutputError

DATA = bytes(n * 7 % 251 for n in range(5000))


@dataclass
class MemorySource:
    """A Source in memory that keeps a list of what was asked for."""

    data: bytes = DATA
    asked: list[Span] = field(default_factory=list)
    error: OutputError | None = None
    url: str = "memory:"
    container: str = "default"
    name: str = "roads_matched.parquet"
    etag: str = "1"
    last_modified: datetime | None = None
    version_id: str | None = None

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        if self.error:
            raise self.error
        assert 0 <= offset < offset + length <= len(self.data)
        self.asked.append(Span(offset, offset + length))
        return self.data[offset : offset + length]


def test_the_tail_is_fetched_once_and_grows_at_its_front() -> None:
    source = MemorySource()
    file = RangeFile(source)
    assert file.load_tail(100) == DATA[-100:]
    assert file.load_tail(50) == DATA[-50:]
    assert file.load_tail(300) == DATA[-300:]
    assert source.asked == [Span(4900, 5000), Span(4700, 4900)]
    assert (file.requests, file.bytes_read, file.tail_start) == (2, 300, 4700)


def test_a_short_file_is_its_own_tail() -> None:
    assert RangeFile(MemorySource(b"abc")).load_tail(100) == b"abc"
    assert RangeFile(MemorySource(b"")).load_tail(100) == b""


def test_reads_within_a_piece_are_one_request() -> None:
    source = MemorySource()
    file = RangeFile(source)
    file.follow([Span(100, 500)])
    for offset in (100, 300, 499):
        file.seek(offset)
        assert file.read(1) == DATA[offset : offset + 1]
    assert source.asked == [Span(100, 500)]


def test_a_read_across_everything_is_served_from_its_parts() -> None:
    """Unplanned bytes, a piece, unplanned bytes, the tail: nothing is fetched twice."""
    source = MemorySource()
    file = RangeFile(source)
    file.load_tail(1000)
    file.follow([Span(100, 500)])
    assert file.read() == DATA
    assert sorted(source.asked) == [
        Span(0, 100),
        Span(100, 500),
        Span(500, 4000),
        Span(4000, 5000),
    ]


def test_a_piece_that_was_read_to_the_last_byte_makes_room() -> None:
    file = RangeFile(MemorySource())
    file.follow([Span(100, 500)])
    for offset in (300, 100):
        file.seek(offset)
        file.read(200)
    assert not file._bytes._held


def test_few_pieces_are_held_and_the_least_used_goes_first() -> None:
    source = MemorySource()
    file = RangeFile(source)
    pieces = [Span(n * 100, n * 100 + 100) for n in range(HELD_PIECES + 1)]
    file.follow(pieces)

    def touch(index: int) -> None:
        file.seek(index * 100)
        file.read(10)

    for index in range(HELD_PIECES):
        touch(index)
    touch(0)
    touch(HELD_PIECES)  # pushes out piece 1, since 0 was used again
    touch(0)
    assert source.asked == pieces
    touch(1)
    assert source.asked == [*pieces, pieces[1]]
    assert len(file._bytes._held) == HELD_PIECES


def test_it_is_a_file() -> None:
    file = RangeFile(MemorySource())
    assert file.readable()
    assert file.seekable()
    assert file.size() == 5000
    assert file.seek(10) == 10
    assert file.seek(5, io.SEEK_CUR) == 15
    assert file.tell() == 15
    assert file.seek(-3, io.SEEK_END) == 4997
    assert file.read(None) == DATA[-3:]
    assert file.read(1) == b""
    assert file.seek(9999) == 9999
    assert file.read(1) == b""
    with pytest.raises(OSError, match="seek to -1"):
        file.seek(-1)


def test_trouble_with_the_source_is_kept() -> None:
    file = RangeFile(MemorySource(error=OutputChanged("replaced")))
    with pytest.raises(OutputChanged):
        file.read(1)
    assert isinstance(file.failure, OutputChanged)
    assert (file.requests, file.bytes_read) == (0, 0)


@given(
    st.lists(st.integers(0, 5000), max_size=12),
    st.integers(0, 600),
    st.lists(st.tuples(st.integers(0, 5200), st.integers(-1, 5200)), max_size=12),
)
def test_every_read_gives_the_bytes_of_the_file(
    edges: list[int], tail: int, reads: list[tuple[int, int]]
) -> None:
    file = RangeFile(MemorySource())
    file.load_tail(tail)
    marks = sorted({min(edge, file.tail_start) for edge in edges})
    file.follow([Span(*pair) for pair in zip(marks[::2], marks[1::2], strict=False)])
    for offset, length in reads:
        file.seek(offset)
        expected = DATA[offset:] if length < 0 else DATA[offset : offset + length]
        assert file.read(length) == expected
