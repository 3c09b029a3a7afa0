"""The rate limiter: all processes together send GEM at most so many requests per second.

The rate is divided into equal shares. A process that sends requests holds the lease of one share.
A lease is a document, written by compare-and-set, that says when the lease ends; so it also ends
when its holder dies. The requests of one share have equal gaps, even when its holder changes, so
there are never more requests than the setting allows.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from gem_core.errors import RecordConflict
from gem_core.moments import moment_text, read_lenient_moment
from gem_core.storage.documents import Documents, Listed

PREFIX = "leases/"
LEASE_TIME = timedelta(seconds=20)
"""How long a lease lasts after it is taken or renewed. A holder that is late keeps its lease until
another process takes it."""
MARGIN = timedelta(seconds=5)
"""How long before its end a lease is renewed, so that no request starts after the end."""
MAX_AHEAD = timedelta(minutes=5)
"""A lease never ends later than this from now: a run waits at most four minutes for a request. An
end that is later was written by a wrong clock, and the lease is free. If its holder lives, it loses
the lease at its next renewal."""
LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class SleepClock:
    """The time, a pause in seconds, and locks."""

    now: Callable[[], datetime]
    pause: Callable[[float], object]
    lock: Callable[[], AbstractContextManager[object]] = Lock


class Lease:
    """The right to use one share of the rate. Several threads may wait on it."""

    def __init__(
        self, document: "_LeaseDocument", *, first: datetime, gap: timedelta, clock: SleepClock
    ) -> None:
        self._document = document
        self._next = first
        self._gap = gap
        self._clock = clock
        self._lock = clock.lock()

    def wait(self, ends_at: datetime) -> bool:
        """Wait until the next request may start.

        Returns:
            False, without waiting, in three cases. The next request may not start before `ends_at`.
            The clock was set back by more than `MAX_AHEAD`, so these times say nothing. Or the
            lease was lost: this process was suspended, and another process has taken the lease.

        Raises:
            StoreError: the lease could not be renewed.

        """
        with self._lock:
            now = self._clock.now()
            at = max(self._next, now)
            if at >= min(ends_at, now + MAX_AHEAD) or not self._document.holds_until(at + MARGIN):
                return False
            self._next = at + self._gap
        if at > now:
            self._clock.pause((at - now).total_seconds())
        return True

    def release(self) -> None:
        """End the lease. Its document then has the time of the last request."""
        with self._lock:
            self._document.end(self._next - self._gap)


class RateLimiter:
    """Acquires leases. Their documents are stored beside the worklist."""

    def __init__(
        self,
        documents: Documents,
        *,
        count: int,
        per_second: float,
        clock: SleepClock,
        random: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Divide the rate.

        Args:
            documents: stores the leases.
            count: the number of shares.
            per_second: requests per second, of all shares together.
            clock: the time and the pauses.
            random: returns a number from 0 up to 1, so that processes that start at the same time
                seldom try the same lease first.

        """
        self._documents = documents
        self._random = random
        self._count = count
        self._gap = timedelta(seconds=count / per_second)
        self._clock = clock

    def acquire(self) -> Lease | None:
        """Take the free lease whose next request may start first; None if no lease is free.

        Raises:
            StoreError: the leases could not be read or written.

        """
        now = self._clock.now()
        known = {each.name: each for each in self._documents.every(prefix=PREFIX)}
        names = [f"{PREFIX}{number}" for number in range(self._count)]
        ends = {name: _end(known[name], now) if name in known else LONG_AGO for name in names}
        first = {name: max(now, ends[name] + self._gap) for name in names if ends[name] <= now}
        start = int(self._random() * len(names))
        free = [name for name in (*names[start:], *names[:start]) if name in first]
        for name in sorted(free, key=first.__getitem__):
            stored = known.get(name)
            with suppress(RecordConflict):
                document = _LeaseDocument(
                    self._documents, name, stored.etag if stored else None, now + LEASE_TIME
                )
                return Lease(document, first=first[name], gap=self._gap, clock=self._clock)
        return None


class _LeaseDocument:
    """The document of a lease that this process has taken, and may have lost again."""

    def __init__(self, documents: Documents, name: str, etag: str | None, until: datetime) -> None:
        """Take the lease. Raises RecordConflict when another process took it first."""
        self._documents = documents
        self._name = name
        self._until = until
        metadata = _metadata(until)
        self._etag: str | None = (
            documents.create(name, b"", metadata=metadata)
            if etag is None
            else documents.replace(name, b"", etag=etag, metadata=metadata)
        )

    def holds_until(self, moment: datetime) -> bool:
        """Whether this process holds the lease until this moment; renews the lease if necessary."""
        if self._etag and moment > self._until:
            self._write(moment + LEASE_TIME)
        return self._etag is not None

    def end(self, last_request: datetime) -> None:
        """End the lease, so that another process can take it."""
        if self._etag:
            self._write(last_request)
            self._etag = None

    def _write(self, until: datetime) -> None:
        try:
            self._etag = self._documents.replace(
                self._name, b"", etag=self._etag or "", metadata=_metadata(until)
            )
            self._until = until
        except RecordConflict:
            self._etag = None


def _metadata(until: datetime) -> dict[str, str]:
    return {"until": moment_text(until)}


def _end(lease: Listed, now: datetime) -> datetime:
    """When a lease ends. Without a readable time it ended long ago; with a time that no rule sets,
    just now.
    """
    end = read_lenient_moment(lease.metadata.get("until")) or LONG_AGO
    return now if end > now + MAX_AHEAD else end
