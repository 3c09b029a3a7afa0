"""The parent reads ranges of the files that it opened, and sends them to the child. Edge: storage.

At most `READERS` ranges are held at a time, so the parent's buffers have one bound: 64 MiB. A
thread that waits for storage cannot be ended. So after the deadline the child gets the answer that
the range cannot be read, and a later answer of storage is dropped. The thread ends with the
deadline of storage's clients.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread

from gem_core.audit.child.frames import Channel, ChannelLost, ProtocolError
from gem_core.audit.child.limits import STEADY_BYTES_PER_SECOND, Limits
from gem_core.audit.child.messages import (
    MAX_OUTSTANDING,
    MAX_RANGE_BYTES,
    RangeFailed,
    RangeRead,
    ReadProblem,
    ReadRange,
)
from gem_core.audit.child.stopwatch import Stopwatch
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputChanged, OutputError, OutputUnreachable

READERS = 4
"""Requests to storage at a time."""


@dataclass(slots=True)
class _File:
    """One file that the child may read."""

    source: Source
    waiting: Stopwatch = field(default_factory=Stopwatch)
    """While its storage handles a request."""
    served_bytes: int = 0
    failure: Exception | None = None
    """What its storage raised first."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A range that the child waits for."""

    range: ReadRange
    since: float
    """By the monotonic clock, in seconds."""


class RangeServer:
    """Serves the ranges of one audit. Close it."""

    def __init__(self, channel: Channel, sources: Sequence[Source], limits: Limits) -> None:
        """Sources have their numbers in this order; answers go to `channel`."""
        self._channel = channel
        self._files = [_File(source) for source in sources]
        self._limits = limits
        self._lock = Lock()
        self._wanted: dict[int, _Wanted] = {}
        self._queue = SimpleQueue[_Wanted | None]()
        self.waiting = Stopwatch()
        """While the child waits for the storage of any file."""
        for _ in range(READERS):
            Thread(target=self._serve, name="audit-range", daemon=True).start()

    def close(self) -> None:
        """Let the threads end, each as soon as storage has answered it."""
        with self._lock:
            self._wanted.clear()
        for _ in range(READERS):
            self._queue.put(None)

    @property
    def is_waited_for(self) -> bool:
        """Whether the child waits for a range."""
        return bool(self._wanted)

    @property
    def served_bytes(self) -> int:
        """Of all files."""
        return sum(file.served_bytes for file in self._files)

    def failure(self, number: int) -> Exception | None:
        """What the storage of a file raised first; None when nothing failed."""
        return self._files[number].failure

    def take(self, wanted: ReadRange) -> None:
        """Take a request.

        Raises:
            ProtocolError: there is no such range, or the child asks for too much at a time.

        """
        if not 0 <= wanted.file < len(self._files):
            raise ProtocolError(f"there is no file {wanted.file}")
        size = self._files[wanted.file].source.size_bytes
        if not (
            0 < wanted.length <= MAX_RANGE_BYTES and 0 <= wanted.offset <= size - wanted.length
        ):
            raise ProtocolError(
                f"{wanted.length} bytes at {wanted.offset} are no range of {size} bytes"
            )
        with self._lock:
            if len(self._wanted) >= MAX_OUTSTANDING or wanted.id in self._wanted:
                raise ProtocolError("too many requests at a time, or two of one number")
            self._wanted[wanted.id] = request = _Wanted(wanted, time.monotonic())
        self._queue.put(request)

    def give_up_overdue(self) -> None:
        """Fail the requests that storage does not answer in time.

        Raises:
            ChannelLost: the child does not receive that.

        """
        with self._lock:
            waiting = list(self._wanted.values())
        for wanted in waiting:
            file = self._files[wanted.range.file]
            if reason := self._overdue(file, wanted):
                error = OutputUnreachable(f"{file.source.url}: {reason}; try again")
                self._fail(file, wanted.range, error)

    def _overdue(self, file: _File, wanted: _Wanted) -> str:
        waited, length = time.monotonic() - wanted.since, wanted.range.length
        if waited > self._limits.range_seconds:
            return f"{length} bytes did not come in {waited:.0f} s"
        seconds = file.waiting.seconds
        is_slow = file.served_bytes < seconds * STEADY_BYTES_PER_SECOND
        if seconds > self._limits.storage_seconds and is_slow:
            return f"only {file.served_bytes} bytes came in {seconds:.0f} s"
        return ""

    def _serve(self) -> None:
        while wanted := self._queue.get():
            with suppress(ChannelLost):  # then `Lost` comes, and the audit ends
                if wanted.range.id in self._wanted:  # else the audit has ended meanwhile
                    self._read_and_send(self._files[wanted.range.file], wanted.range)

    def _read_and_send(self, file: _File, wanted: ReadRange) -> None:
        # A function of its own: between two requests the thread holds no bytes.
        try:
            with self.waiting.running(), file.waiting.running():
                data = file.source.read(wanted.offset, wanted.length)
        except Exception as error:  # noqa: BLE001 - whatever storage raised goes to the caller
            self._fail(file, wanted, error)
            return
        if len(data) != wanted.length:
            said = f"{file.source.url}: {len(data)} of {wanted.length} bytes came"
            self._fail(file, wanted, OutputUnreachable(said))
        elif self._answers(wanted):
            with self._lock:
                file.served_bytes += len(data)
            self._channel.send(RangeRead(wanted.id), data)

    def _fail(self, file: _File, wanted: ReadRange, error: Exception) -> None:
        if self._answers(wanted):
            file.failure = file.failure or error
            changed = isinstance(error, OutputChanged)
            problem = ReadProblem.CHANGED if changed else ReadProblem.UNREACHABLE
            # Words of another library may hold an address with its signature.
            detail = str(error) if isinstance(error, OutputError) else type(error).__name__
            self._channel.send(RangeFailed(wanted.id, problem, detail))

    def _answers(self, wanted: ReadRange) -> bool:
        """Whether the child still waits for this range; the first caller must answer."""
        with self._lock:
            return self._wanted.pop(wanted.id, None) is not None
