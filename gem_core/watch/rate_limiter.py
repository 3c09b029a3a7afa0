"""The request budget of all processes together: so many questions a second, whoever asks.

The budget is divided into lanes, each a share of the rate. Whoever asks GEM holds a lane: a
document that it took by compare-and-set and that says until when it is taken. A holder that dies
loses its lane when that moment passes, so nobody has to free it. Within a lane questions go out
evenly spaced, also across a change of its holder: no more leave than the setting allows.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from gem_core.errors import RecordConflict
from gem_core.moments import moment_text, read_lenient_moment
from gem_core.storage.documents import Documents, Listed

PREFIX = "lanes/"
LEASE_TIME = timedelta(seconds=20)
"""How long a lane stays taken when its holder dies. A holder that lives renews it as it goes, and
may also be late: the lane is lost only when another has taken it."""
MARGIN = timedelta(seconds=5)
"""A lane is renewed before its lease ends, so that a question never leaves after it."""
LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class SleepClock:
    """A clock, the pause that waits for so many seconds of it, and locks for those who wait."""

    now: Callable[[], datetime]
    pause: Callable[[float], object]
    lock: Callable[[], AbstractContextManager[object]] = Lock


class Lease:
    """A share of the request budget, in our hands. Several threads may wait in it."""

    def __init__(
        self, hold: "_HeldDocument", *, first: datetime, gap: timedelta, watch: SleepClock
    ) -> None:
        self._hold = hold
        self._next = first
        self._gap = gap
        self._watch = watch
        self._lock = watch.lock()

    def wait(self, ends_at: datetime) -> bool:
        """Wait for the next moment to ask; at once False when there is none before `ends_at`.

        Also False when the lane was lost, which happens to a process that was held up for longer
        than the lease.

        Raises:
            StoreError: the lane could not be renewed.

        """
        with self._lock:
            now = self._watch.now()
            at = max(self._next, now)
            if at >= ends_at or not self._hold.until(at + MARGIN):
                return False
            self._next = at + self._gap
        if at > now:
            self._watch.pause((at - now).total_seconds())
        return True

    def release(self) -> None:
        """Let the next holder take it; the document then says when the last question left."""
        with self._lock:
            self._hold.end(self._next - self._gap)


class RateLimiter:
    """All lanes; their documents lie beside the worklist."""

    def __init__(
        self,
        documents: Documents,
        *,
        count: int,
        per_second: float,
        watch: SleepClock,
        random: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Divide a rate.

        Args:
            documents: where the lanes are kept.
            count: how many lanes.
            per_second: questions a second of all lanes together.
            watch: the clock.
            random: 0 up to 1; runs that start together then seldom want the same lane.

        """
        self._documents = documents
        self._dice = random
        self._count = count
        self._gap = timedelta(seconds=count / per_second)
        self._watch = watch

    def take(self) -> Lease | None:
        """A lane that nobody holds, one that may ask soonest; None when all are held.

        Raises:
            StoreError: the lanes could not be read or written.

        """
        now = self._watch.now()
        known = {each.name: each for each in self._documents.every(prefix=PREFIX)}
        names = [f"{PREFIX}{number}" for number in range(self._count)]
        asked = {name: _until(known[name]) if name in known else LONG_AGO for name in names}
        first = {name: max(now, asked[name] + self._gap) for name in names if asked[name] <= now}
        at = int(self._dice() * len(names))
        free = [name for name in (*names[at:], *names[:at]) if name in first]
        for name in sorted(free, key=first.__getitem__):
            held = known.get(name)
            with suppress(RecordConflict):
                hold = _HeldDocument(
                    self._documents, name, held.etag if held else None, now + LEASE_TIME
                )
                return Lease(hold, first=first[name], gap=self._gap, watch=self._watch)
        return None


class _HeldDocument:
    """The document of a lane, as long as it is ours."""

    def __init__(self, documents: Documents, name: str, etag: str | None, until: datetime) -> None:
        """Take it. Raises RecordConflict when another was first."""
        self._documents = documents
        self._name = name
        self._until = until
        write = _metadata(until)
        self._etag: str | None = (
            documents.create(name, b"", metadata=write)
            if etag is None
            else documents.replace(name, b"", etag=etag, metadata=write)
        )

    def until(self, moment: datetime) -> bool:
        """Whether the lane is ours until then, the lease made longer if need be."""
        if self._etag and moment > self._until:
            self._write(moment + LEASE_TIME)
        return self._etag is not None

    def end(self, asked_until: datetime) -> None:
        """Give it back."""
        if self._etag:
            self._write(asked_until)
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


def _until(lease: Listed) -> datetime:
    """Until when a lane is taken; one that says nothing readable is free."""
    return read_lenient_moment(lease.metadata.get("until")) or LONG_AGO
