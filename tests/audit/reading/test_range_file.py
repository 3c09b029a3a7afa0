"""The file object that pyarrow reads: right bytes, few requests, bounded memory."""

import io
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.reading.byte_range import ByteRange
from gem_core.audit.reading.range_file import RangeFile
from gem_core.audit.reading.source import open_file
from gem_core.errors import OutputChanged
from tests.audit.reading.memory_source import DATA, MemorySource


def test_the_tail_is_fetched_once_and_grows_at_its_front() -> None:
    source = MemorySource()
    file = RangeFile(source)
    assert file.load_tail(100) == DATA[-100:]
    assert file.load_tail(50) == DATA[-50:]
    assert file.load_tail(300) == DATA[-300:]
    assert source.asked == [ByteRange(4900, 5000), ByteRange(4700, 4900)]
    assert (file.requests, file.bytes_read) == (2, 300)


def test_a_short_file_is_its_own_tail() -> None:
    assert RangeFile(MemorySource(b"abc")).load_tail(100) == b"abc"
    assert RangeFile(MemorySource(b"")).load_tail(100) == b""


def test_the_head_that_came_with_the_opening_is_not_fetched() -> None:
    source = MemorySource(head=DATA[:4])
    file = RangeFile(source)
    assert file.read(4) == DATA[:4]
    assert source.asked == []
    assert file.read(2) == DATA[4:6]


def test_a_head_that_is_the_whole_file_serves_everything() -> None:
    source = MemorySource(head=DATA)
    file = RangeFile(source)
    assert file.load_tail(100) == DATA[-100:]
    with file.planned([[ByteRange(100, 500)], [ByteRange(600, 4990)]]) as planned:
        assert planned.read() == DATA
    assert source.asked == []
    assert (file.requests, file.bytes_read) == (1, 5000)


def test_reads_within_a_piece_are_one_request() -> None:
    source = MemorySource()
    with RangeFile(source).planned([[ByteRange(100, 500)]]) as file:
        for offset in (100, 300, 499):
            file.seek(offset)
            assert file.read(1) == DATA[offset : offset + 1]
    assert source.asked == [ByteRange(100, 500)]


def test_a_read_across_everything_is_served_from_its_parts() -> None:
    """Unplanned bytes, a piece, unplanned bytes, the tail: nothing is fetched twice."""
    source = MemorySource()
    whole = RangeFile(source)
    whole.load_tail(1000)
    with whole.planned([[ByteRange(100, 500)]]) as file:
        assert file.read() == DATA
    assert sorted(source.asked) == [
        ByteRange(0, 100),
        ByteRange(100, 500),
        ByteRange(500, 4000),
        ByteRange(4000, 5000),
    ]
    assert (whole.requests, whole.bytes_read) == (4, 5000)


def test_a_file_beside_another_has_its_own_position_and_the_same_bytes() -> None:
    source = MemorySource()
    with RangeFile(source).planned([[ByteRange(100, 500)]]) as file:
        file.seek(100)
        other = file.beside()
        assert other.tell() == 0
        other.seek(300)
        assert file.read(10) == DATA[100:110]
        assert other.read(10) == DATA[300:310]
        other.close()
        assert file.read(10) == DATA[110:120]
    assert source.asked == [ByteRange(100, 500)]


def test_a_closed_file_ends_every_plan_that_was_not_left() -> None:
    with RangeFile(MemorySource()) as file:
        plans = [file.planned([[ByteRange(n, 500)]]) for n in (100, 200)]
        for plan in plans:
            plan.__enter__()
        assert read_ahead_threads()
    assert not read_ahead_threads()


def read_ahead_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "read-ahead" in thread.name]


def test_a_local_file_is_read_as_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    whole = RangeFile(open_file(path))
    with whole.planned([[ByteRange(100, 500)]]) as file:
        file.seek(200)
        assert file.read(10) == DATA[200:210]
        assert not read_ahead_threads()
    assert (whole.requests, whole.bytes_read) == (1, 10)


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
    st.integers(0, 5000),
    st.lists(st.integers(0, 5000), max_size=12),
    st.lists(st.integers(0, 5200), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 5200), st.integers(-1, 5200)), max_size=12),
)
def test_every_read_gives_the_bytes_of_the_file_and_fetches_none_of_its_head(
    head: int, edges: list[int], tails: list[int], reads: list[tuple[int, int]]
) -> None:
    source = MemorySource(head=DATA[:head])
    whole = RangeFile(source)
    for tail in tails:
        assert whole.load_tail(tail) == DATA[max(0, 5000 - tail) :]
    marks = sorted({min(edge, 5000) for edge in edges})
    groups = [[ByteRange(*pair)] for pair in zip(marks[::2], marks[1::2], strict=False)]
    with whole.planned(groups) as file:
        for offset, length in reads:
            file.seek(offset)
            expected = DATA[offset:] if length < 0 else DATA[offset : offset + length]
            assert file.read(length) == expected
    assert all(span.start >= head for span in source.asked)
