"""The rate limiter: all processes together send GEM so many requests a second, whoever sends them.

The rate is divided into equal shares. Whoever asks GEM holds the lease of a share: a document that
it wrote by compare-and-set, with the moment at which the lease ends. When a holder dies its lease
ends by itself. Requests of one share are evenly spaced, also when its holder changes: there are
never more of them than the setting allows.
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
"""From taking or renewing a lease to its end. A holder that is late keeps its lease until another
process has taken it."""
MARGIN = timedelta(seconds=5)
"""A lease is renewed so long before its end that no request starts after it."""
LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class SleepClock:
    """A clock, a pause of so many seconds, and locks for those who wait."""

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
        """Wait until the next request may start; at once False when that is not before `ends_at`.

        Also False when the lease was lost: the process stood still for longer than the lease, and
        another one has taken it.

        Raises:
            StoreError: the lease could not be renewed.

        """
        with self._lock:
            now = self._clock.now()
            at = max(self._next, now)
            if at >= ends_at or not self._document.holds_until(at + MARGIN):
                return False
            self._next = at + self._gap
        if at > now:
            self._clock.pause((at - now).total_seconds())
        return True

    def release(self) -> None:
        """End the lease; its document then says when the last request started."""
        with self._lock:
            self._document.end(self._next - self._gap)


class RateLimiter:
    """Gives leases; their documents are beside the worklist."""

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
            documents: where the leases are stored.
            count: how many shares.
            per_second: requests a second, of all shares together.
            clock: the clock.
            random: from 0 up to 1: processes that start together seldom try the same lease first.

        """
        self._documents = documents
        self._random = random
        self._count = count
        self._gap = timedelta(seconds=count / per_second)
        self._clock = clock

    def acquire(self) -> Lease | None:
        """A lease that nobody holds: one whose next request may start first. None if all are held.

        Raises:
            StoreError: the leases could not be read or written.

        """
        now = self._clock.now()
        known = {each.name: each for each in self._documents.every(prefix=PREFIX)}
        names = [f"{PREFIX}{number}" for number in range(self._count)]
        ends = {name: _end(known[name]) if name in known else LONG_AGO for name in names}
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
    """The document of a lease that this process has taken, and may have lost since."""

    def __init__(self, documents: Documents, name: str, etag: str | None, until: datetime) -> None:
        """Take the lease. Raises RecordConflict when another process was first."""
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
        """Whether the lease lasts until then; renews it when it must be longer."""
        if self._etag and moment > self._until:
            self._write(moment + LEASE_TIME)
        return self._etag is not None

    def end(self, last_request: datetime) -> None:
        """Give the lease back."""
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


def _end(lease: Listed) -> datetime:
    """When a lease ends; one that says nothing readable has ended."""
    return read_lenient_moment(lease.metadata.get("until")) or LONG_AGO
