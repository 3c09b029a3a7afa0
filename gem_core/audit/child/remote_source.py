"""A file that the parent reads for the child. Edge: the connection to the parent.

The child's side. Threads wait for their ranges; one thread receives them all.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from threading import BoundedSemaphore, Lock

from gem_core.audit.child.frames import Channel
from gem_core.audit.child.messages import (
    MAX_OUTSTANDING,
    MAX_RANGE_BYTES,
    FileFacts,
    RangeFailed,
    RangeRead,
    ReadProblem,
    ReadRange,
)
from gem_core.audit.reading.source import Known, known
from gem_core.errors import OutputChanged, OutputUnreachable

_ERRORS = {
    ReadProblem.CHANGED: OutputChanged,
    ReadProblem.UNREACHABLE: OutputUnreachable,
}


class Ranges:
    """The requests for ranges that have no answer yet."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._ids = count()
        self._waiting: dict[int, Future[bytes]] = {}
        self._lock = Lock()
        self._free = BoundedSemaphore(MAX_OUTSTANDING)

    def read(self, file: int, offset: int, length: int) -> bytes:
        """A range of at most `MAX_RANGE_BYTES`.

        Raises:
            OutputChanged: the file was overwritten or deleted since it was opened.
            OutputUnreachable: refused, throttled or no answer.

        """
        answer = Future[bytes]()
        with self._free:
            with self._lock:
                number = next(self._ids)
                self._waiting[number] = answer
            self._channel.send(ReadRange(number, file, offset, length))
            return answer.result()

    def take(self, answer: RangeRead | RangeFailed, body: bytes) -> None:
        """Hand an answer to the thread that waits for it."""
        with self._lock:
            waiting = self._waiting.pop(answer.id)
        if isinstance(answer, RangeRead):
            waiting.set_result(body)
        else:
            waiting.set_exception(_ERRORS[answer.problem](answer.detail))


@dataclass(frozen=True, slots=True)
class RemoteSource(Known):
    """One of the parent's files; see `reading.source.Source`."""

    head: bytes = field(repr=False)
    _read: Callable[[int, int], bytes] = field(repr=False)

    def read(self, offset: int, length: int) -> bytes:
        """Read a range of the pinned version; see `Source.read`."""
        starts = range(offset, offset + length, MAX_RANGE_BYTES)
        parts = [self._read(at, min(MAX_RANGE_BYTES, offset + length - at)) for at in starts]
        return parts[0] if len(parts) == 1 else b"".join(parts)


def remote_source(facts: FileFacts, head: bytes, read: Callable[[int, int], bytes]) -> RemoteSource:
    """The file of which these facts are known; `read` takes offset and length."""
    return RemoteSource(**known(facts), head=head, _read=read)
