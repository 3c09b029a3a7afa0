"""Read-ahead: fetches planned pieces in a few threads, into an LRU cache of bounded size. Edge."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

from gem_core.audit.reading.byte_range import ByteRange, RowGroup
from gem_core.audit.reading.pieces import PIECE_BYTES, Piece

CONNECTIONS = 4
"""Requests at the same time."""

_SIDE_BY_SIDE = 4


def window_bytes(groups: Sequence[RowGroup]) -> int:
    """Size of the cache, in bytes.

    The columns of a row group are read side by side: each has a piece that is half read, while each
    connection fetches another one. Short chunks share pieces, so that more than four columns need
    more only when their chunks are long.
    """
    columns = max((len(group) for group in groups), default=0)
    half_read = max((sum(min(c.length, PIECE_BYTES) for c in group) for group in groups), default=0)
    return max(half_read, min(columns, _SIDE_BY_SIDE) * PIECE_BYTES) + CONNECTIONS * PIECE_BYTES


@dataclass(slots=True)
class _CachedPiece:
    length: int
    unread: int
    """Needed bytes that were not read yet."""
    data: Future[bytes]


class ReadAhead:
    """Planned pieces: fetched in their order while there is room, evicted when they were read.

    A piece that is read out of order is fetched at once, in the thread that reads. To make room for
    it, the least recently used piece is evicted; it is fetched again if it is still needed.
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
        self._cache: OrderedDict[int, _CachedPiece] = OrderedDict()
        """By place in the plan; the least recently used first."""
        self._cache_bytes = 0
        self._started: set[int] = set()
        self._next = 0
        self._failure: BaseException | None = None
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="read-ahead")
        with self._lock:
            self._fetch_ahead()

    def close(self) -> None:
        """End the threads; waits for the requests in flight."""
        with self._lock:
            self._next = len(self._plan)
        self._threads.shutdown(cancel_futures=True)
        self._cache.clear()

    def part(self, offset: int, length: int) -> bytes | None:
        """Up to `length` bytes at `offset`, as many as one piece has; None when no piece has any.

        Raises:
            OutputError: as `fetch` raised it, for any of the pieces.

        """
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or offset >= self._plan[self._places[index]].span.end:
            return None
        place = self._places[index]
        start = offset - self._plan[place].span.start
        cached = self._load(place)
        part = cached.data.result()[start : start + length]
        with self._lock:
            cached.unread -= len(part)
            if cached.unread <= 0 and self._cache.get(place) is cached:
                self._evict(place)
            self._fetch_ahead()
        return part

    def following(self, offset: int, *, default: int) -> int:
        """Where the first piece after `offset` begins."""
        index = bisect_right(self._starts, offset)
        return self._starts[index] if index < len(self._starts) else default

    def _load(self, place: int) -> _CachedPiece:
        piece = self._plan[place]
        with self._lock:
            if self._failure:
                raise self._failure
            if cached := self._cache.get(place):
                self._cache.move_to_end(place)
                return cached
            self._make_room(piece.span.length)
            data = Future[bytes]()
            cached = self._start(place, data)
        try:
            data.set_result(self._run(piece.span))
        except BaseException as error:  # other threads may wait for the piece
            data.set_exception(error)
            raise
        return cached

    def _start(self, place: int, data: Future[bytes]) -> _CachedPiece:
        piece = self._plan[place]
        cached = _CachedPiece(piece.span.length, piece.needed_bytes, data)
        self._cache[place] = cached
        self._cache_bytes += cached.length
        self._started.add(place)
        return cached

    def _evict(self, place: int) -> None:
        self._cache_bytes -= self._cache.pop(place).length

    def _make_room(self, length: int) -> None:
        """Evict the least recently used pieces, but none that is still in flight."""
        for place in [place for place, cached in self._cache.items() if cached.data.done()]:
            if self._cache_bytes + length <= self._window:
                return
            self._evict(place)

    def _fetch_ahead(self) -> None:
        """Start the next requests while there is room."""
        while self._next < len(self._plan) and not self._failure:
            if self._next not in self._started:
                span = self._plan[self._next].span
                if self._cache and self._cache_bytes + span.length > self._window:
                    return
                self._start(self._next, self._threads.submit(self._run, span))
            self._next += 1

    def _run(self, span: ByteRange) -> bytes:
        if self._failure:  # since it was planned
            raise self._failure
        try:
            return self._fetch(span)
        except BaseException as error:
            with self._lock:
                self._failure = self._failure or error
            raise
