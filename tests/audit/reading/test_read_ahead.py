"""Pieces come before they are asked for, in bounded memory, and trouble comes out as it was."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.reading.byte_range import ByteRange
from gem_core.audit.reading.pieces import PIECE_BYTES, Piece
from gem_core.audit.reading.read_ahead import CONNECTIONS, ReadAhead, window_bytes
from gem_core.errors import OutputChanged, OutputUnreachable

DATA = bytes(n * 7 % 251 for n in range(2000))
SOON = 60.0
"""The longest that a test waits for a thread, in seconds."""


def plan(*order: int, length: int = 100) -> list[Piece]:
    return [Piece(ByteRange(n * length, (n + 1) * length), length) for n in order]


@dataclass
class Origin:
    """Serves DATA; records the requests and their threads, and can be made to wait or to fail."""

    before: Callable[[ByteRange], object] = lambda _: None
    asked: list[ByteRange] = field(default_factory=list)
    askers: dict[ByteRange, str] = field(default_factory=dict)

    def fetch(self, span: ByteRange) -> bytes:
        self.asked.append(span)
        self.askers[span] = threading.current_thread().name
        self.before(span)
        return DATA[span.start : span.end]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread for thread in threading.enumerate() if "read-ahead" in thread.name] == []


def test_several_pieces_come_at_a_time() -> None:
    """Each request waits until as many are under way as there are connections."""
    together = threading.Barrier(CONNECTIONS, timeout=SOON)
    origin = Origin(before=lambda _: together.wait())
    pieces = plan(*range(CONNECTIONS))
    with closing(ReadAhead(pieces, origin.fetch, window_bytes=1000)) as ahead:
        assert [ahead.part(n * 100, 100) for n in range(CONNECTIONS)] == [
            DATA[n * 100 : n * 100 + 100] for n in range(CONNECTIONS)
        ]
    assert len(origin.asked) == CONNECTIONS


def test_no_more_is_fetched_than_the_window_holds() -> None:
    all_fetched = threading.Semaphore(0)
    origin = Origin()
    fetched = origin.fetch

    def fetch(span: ByteRange) -> bytes:
        data = fetched(span)
        all_fetched.release()
        return data

    with closing(ReadAhead(plan(0, 1, 2, 3, 4), fetch, window_bytes=300)) as ahead:
        for _ in range(3):
            assert all_fetched.acquire(timeout=SOON)
        assert sorted(origin.asked) == [ByteRange(n * 100, n * 100 + 100) for n in range(3)]
        ahead.part(0, 99)
        assert (len(ahead._started), ahead._cache_bytes) == (3, 300)  # nor is more on its way
        ahead.part(99, 1)  # now it is read, and makes room
        assert all_fetched.acquire(timeout=SOON)
        assert origin.asked[3] == ByteRange(300, 400)


def test_pieces_come_in_the_order_of_the_plan() -> None:
    origin = Origin()
    pieces = plan(4, 0, 3, 1)
    with closing(ReadAhead(pieces, origin.fetch, window_bytes=1000, connections=1)) as ahead:
        for piece in pieces:
            ahead.part(piece.span.start, 100)
    assert origin.asked == [piece.span for piece in pieces]
    assert all("read-ahead" in name for name in origin.askers.values())


def test_a_piece_larger_than_the_window_comes_all_the_same() -> None:
    with closing(ReadAhead(plan(0, 1), Origin().fetch, window_bytes=10)) as ahead:
        assert ahead.part(0, 100) == DATA[:100]
        assert ahead.part(100, 100) == DATA[100:200]


def test_a_gap_that_is_read_through_is_not_waited_for() -> None:
    """Of the first piece 40 bytes are needed: once these were read it makes room."""
    origin = Origin()
    pieces = [Piece(ByteRange(0, 100), 40), *plan(1)]
    with closing(ReadAhead(pieces, origin.fetch, window_bytes=100)) as ahead:
        ahead.part(0, 40)
        assert ahead.part(100, 100) == DATA[100:200]
        assert "read-ahead" in origin.askers[ByteRange(100, 200)]


def test_what_is_asked_for_out_of_order_is_fetched_at_once_by_who_asks() -> None:
    """The window is full of pieces that nobody reads: the least recently used one is evicted."""
    origin = Origin()
    with closing(ReadAhead(plan(0, 1, 2, 3), origin.fetch, window_bytes=200)) as ahead:
        ahead.part(0, 1)
        ahead.part(100, 1)
        ahead.part(0, 1)
        assert ahead.part(300, 10) == DATA[300:310]
        assert origin.askers[ByteRange(300, 400)] == threading.current_thread().name
        ahead.part(1, 1)
        ahead.part(101, 1)
    assert origin.asked.count(ByteRange(0, 100)) == 1
    assert origin.asked.count(ByteRange(100, 200)) == 2


def test_two_who_ask_for_one_piece_share_it() -> None:
    asked = threading.Event()
    answer = threading.Event()

    def before(span: ByteRange) -> None:
        if span.start == 100:
            asked.set()
            assert answer.wait(SOON)

    origin = Origin(before=before)
    with (
        closing(ReadAhead(plan(0, 1), origin.fetch, window_bytes=100)) as ahead,
        ThreadPoolExecutor(2) as readers,
    ):
        first = readers.submit(ahead.part, 100, 10)  # not ahead: the window holds piece 0
        assert asked.wait(SOON)
        second = readers.submit(ahead.part, 150, 10)
        answer.set()
        assert (first.result(SOON), second.result(SOON)) == (DATA[100:110], DATA[150:160])
    assert origin.asked.count(ByteRange(100, 200)) == 1


def test_what_went_wrong_ahead_is_raised_as_it_was_and_ends_the_fetching() -> None:
    """Also the fetching that was planned before it went wrong."""
    trouble = OutputChanged("replaced")
    failing = threading.Event()
    planned = threading.Event()

    def before(span: ByteRange) -> None:
        if span.start == 200:
            failing.set()
            assert planned.wait(SOON)
            raise trouble

    origin = Origin(before=before)
    ahead = ReadAhead(plan(*range(10)), origin.fetch, window_bytes=300, connections=1)
    with closing(ahead):
        assert failing.wait(SOON)
        assert ahead.part(0, 100) == DATA[:100]  # makes room for one more
        planned.set()
        with pytest.raises(OutputChanged) as caught:
            [ahead.part(n * 100, 100) for n in range(1, 10)]
    assert caught.value is trouble
    assert len(origin.asked) == 3


class _Seen(OrderedDict[int, Any]):
    """Tells when a piece is found held, as it is by who must wait for it."""

    def __init__(self, held: OrderedDict[int, Any]) -> None:
        super().__init__(held)
        self.found = threading.Event()

    def move_to_end(self, key: int, last: bool = True) -> None:  # noqa: FBT001, FBT002 - as it is
        super().move_to_end(key, last)
        self.found.set()


def test_who_waits_for_a_piece_gets_the_trouble_of_who_fetches_it() -> None:
    begun = threading.Event()

    def before(span: ByteRange) -> None:
        if span.start == 100:
            begun.set()
            assert seen.found.wait(SOON)
            raise OutputUnreachable("no answer")

    with (
        closing(ReadAhead(plan(0, 1), Origin(before=before).fetch, window_bytes=100)) as ahead,
        ThreadPoolExecutor(2) as readers,
    ):
        ahead._cache = seen = _Seen(ahead._cache)
        first = readers.submit(ahead.part, 100, 1)
        assert begun.wait(SOON)
        second = readers.submit(ahead.part, 101, 1)
        for reader in (first, second):
            with pytest.raises(OutputUnreachable):
                reader.result(SOON)


def test_a_reader_gets_its_own_trouble_and_so_does_who_comes_after() -> None:
    def before(span: ByteRange) -> None:
        if span.start == 100:
            raise OutputUnreachable("no answer")

    origin = Origin(before=before)
    with closing(ReadAhead(plan(0, 1), origin.fetch, window_bytes=100)) as ahead:
        for _ in range(2):
            with pytest.raises(OutputUnreachable):
                ahead.part(100, 1)
    assert origin.asked.count(ByteRange(100, 200)) == 1


def test_who_stops_early_leaves_no_thread_and_begins_no_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = threading.Barrier(3, timeout=SOON)
    cancelled = threading.Event()

    def before(_: ByteRange) -> None:
        begun.wait()
        assert cancelled.wait(SOON)

    origin = Origin(before=before)
    ahead = ReadAhead(plan(*range(8)), origin.fetch, window_bytes=800, connections=2)
    shutdown = ahead._threads.shutdown

    def cancel(*, cancel_futures: bool) -> None:
        shutdown(wait=False, cancel_futures=cancel_futures)
        cancelled.set()
        shutdown()

    monkeypatch.setattr(ahead._threads, "shutdown", cancel)
    begun.wait()
    ahead.close()
    assert len(origin.asked) == 2


def test_outside_of_the_plan_it_holds_nothing() -> None:
    with closing(ReadAhead(plan(1, 3), Origin().fetch, window_bytes=300)) as ahead:
        assert ahead.part(99, 10) is None
        assert ahead.part(200, 10) is None
        assert ahead.part(400, 10) is None
        assert ahead.following(0, default=7) == 100
        assert ahead.following(100, default=7) == 300
        assert ahead.following(300, default=7) == 7


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
    st.integers(50, 600),
    st.lists(st.tuples(st.integers(0, 1999), st.integers(1, 400)), max_size=30),
)
def test_what_is_held_stays_within_the_window_whatever_is_read(
    lengths: list[int], random: Random, window: int, reads: list[tuple[int, int]]
) -> None:
    """But for one piece: that which a reader waits for while all the others are still coming."""
    marks = [min(sum(lengths[:n]), 2000) for n in range(len(lengths) + 1)]
    pieces = [
        Piece(ByteRange(*pair), pair[1] - pair[0]) for pair in pairwise(marks) if len(set(pair)) > 1
    ]
    random.shuffle(pieces)
    largest = max((piece.span.length for piece in pieces), default=0)
    held: list[int] = []
    watched: list[ReadAhead] = []

    def fetch(span: ByteRange) -> bytes:
        held.extend(ahead._cache_bytes for ahead in watched)
        return DATA[span.start : span.end]

    with closing(ReadAhead(pieces, fetch, window_bytes=window)) as ahead:
        watched.append(ahead)
        for offset, length in reads:
            part = ahead.part(offset, length)
            held.append(ahead._cache_bytes)
            assert part is None or part == DATA[offset : offset + len(part)]
            assert part != b""
    assert max(held, default=0) <= max(window, largest) + largest


@pytest.mark.parametrize(
    ("columns", "length", "pieces"),
    [
        pytest.param(0, 1, 4, id="none"),
        pytest.param(1, PIECE_BYTES, 5, id="ids"),
        pytest.param(4, 10 * PIECE_BYTES, 8, id="usual"),
        pytest.param(14, 100, 8, id="short-ones-for-the-page"),
        pytest.param(14, PIECE_BYTES, 18, id="all-of-a-large-file"),
    ],
)
def test_the_window_has_room_for_each_column_and_one_more_a_connection(
    columns: int, length: int, pieces: int
) -> None:
    groups = [[ByteRange(0, length)] * columns, []]
    assert window_bytes(groups) == pieces * PIECE_BYTES
