"""Fetches planned pieces in a few threads before they are read; holds a bounded amount. Edge."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from gem_core.audit.reading.byte_range import ByteRange, RowGroup
from gem_core.audit.reading.pieces import PIECE_BYTES, Piece

CONNECTIONS = 4
"""Requests at a time, of read-ahead."""

_SIDE_BY_SIDE = 4


def window_bytes(groups: Sequence[RowGroup]) -> int:
    """How much to hold at a time: columns are read side by side, each holding a piece half read
    while every connection brings another. Short chunks share pieces, so only of long ones more than
    four take more.
    """
    columns = max((len(group) for group in groups), default=0)
    half_read = max((sum(min(c.length, PIECE_BYTES) for c in group) for group in groups), default=0)
    return max(half_read, min(columns, _SIDE_BY_SIDE) * PIECE_BYTES) + CONNECTIONS * PIECE_BYTES


@dataclass(slots=True)
class _Held:
    length: int
    unread: int
    """Needed bytes that were not asked for yet."""
    data: Future[bytes]


class ReadAhead:
    """Planned pieces: fetched in their order as the window allows, given up once they were read.

    A piece that is asked for out of order is fetched at once, in the thread that asks; for its room
    the piece goes that was read least lately, to be fetched again should it still be needed.
    """

    def __init__(
        self,
        plan: Sequence[Piece],
        fetch: Callable[[ByteRange], bytes],
        *,
        window_bytes: int,
        connections: int = CONNECTIONS,
    ) -> None:
        self._plan = plan
        self._fetch = fetch
        self._window = window_bytes
        self._places = sorted(range(len(plan)), key=lambda place: plan[place].span)
        self._starts = [plan[place].span.start for place in self._places]
        self._lock = Lock()
        self._held: OrderedDict[int, _Held] = OrderedDict()
        """By place in the plan; the least lately read first."""
        self._held_bytes = 0
        self._begun: set[int] = set()
        self._next = 0
        self._failure: BaseException | None = None
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="read-ahead")
        with self._lock:
            self._go_on()

    def close(self) -> None:
        """End the threads; waits for the requests under way."""
        with self._lock:
            self._next = len(self._plan)
        self._threads.shutdown(cancel_futures=True)
        self._held.clear()

    def part(self, offset: int, length: int) -> bytes | None:
        """Give up to `length` bytes at `offset`, as far as one piece holds them; None if none does.

        Raises:
            OutputError: as `fetch` raised it, whichever piece it was for.

        """
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or offset >= self._plan[self._places[index]].span.end:
            return None
        place = self._places[index]
        start = offset - self._plan[place].span.start
        held = self._hold(place)
        part = held.data.result()[start : start + length]
        with self._lock:
            held.unread -= len(part)
            if held.unread <= 0 and self._held.get(place) is held:
                self._let_go(place)
            self._go_on()
        return part

    def following(self, offset: int, *, default: int) -> int:
        """Where the first piece after `offset` begins."""
        index = bisect_right(self._starts, offset)
        return self._starts[index] if index < len(self._starts) else default

    def _hold(self, place: int) -> _Held:
        piece = self._plan[place]
        with self._lock:
            if self._failure:
                raise self._failure
            if held := self._held.get(place):
                self._held.move_to_end(place)
                return held
            self._make_room(piece.span.length)
            data = Future[bytes]()
            held = self._begin(place, data)
        try:
            data.set_result(self._run(piece.span))
        except BaseException as error:  # others may wait for the piece
            data.set_exception(error)
            raise
        return held

    def _begin(self, place: int, data: Future[bytes]) -> _Held:
        piece = self._plan[place]
        held = _Held(piece.span.length, piece.needed_bytes, data)
        self._held[place] = held
        self._held_bytes += held.length
        self._begun.add(place)
        return held

    def _let_go(self, place: int) -> None:
        self._held_bytes -= self._held.pop(place).length

    def _make_room(self, length: int) -> None:
        """Give up what was read least lately. What is still coming stays."""
        for place in [place for place, held in self._held.items() if held.data.done()]:
            if self._held_bytes + length <= self._window:
                return
            self._let_go(place)

    def _go_on(self) -> None:
        """Fetch ahead as far as there is room."""
        while self._next < len(self._plan) and not self._failure:
            if self._next not in self._begun:
                span = self._plan[self._next].span
                if self._held and self._held_bytes + span.length > self._window:
                    return
                self._begin(self._next, self._threads.submit(self._run, span))
            self._next += 1

    def _run(self, span: ByteRange) -> bytes:
        try:
            return self._fetch(span)
        except BaseException as error:
            with self._lock:
                self._failure = self._failure or error
            raise
