"""The time, by this machine's clock as long as storage agrees with it. Edge: clock.

A machine's clock may be hours off, or be set while the app runs. Jobs would then expire, count as
lost or be delivered without their output too early, and what must stay would be deleted. Storage
says the time in each answer, at no cost, and all instances of the app use the same storage.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock
from time import monotonic, time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests import Response

AGREES = 3.0
"""Seconds by which the machine's clock may differ from storage's and still counts. An answer says
the time without the fraction of the second, and arrives later."""


class StorageClock:
    """Knows the time from the last answers of storage, and from the seconds since them.

    Several threads may use it: what one has read decides what it sets.
    """

    def __init__(
        self, monotonic: Callable[[], float] = monotonic, machine: Callable[[], float] = time
    ) -> None:
        """A clock that is not set.

        Args:
            monotonic: seconds of a clock that nobody can set.
            machine: seconds since 1970 by the machine's clock.

        """
        self._monotonic = monotonic
        self._machine = machine
        self._zero: float | None = None
        """Storage's time, in seconds since 1970, when the monotonic clock was at 0."""
        self._lock = Lock()

    @property
    def is_set(self) -> bool:
        """Whether storage has said the time, or the clock has been read."""
        return self._zero is not None

    def answered(self, at: datetime, took: timedelta) -> None:
        """Storage has said the time in an answer that has just come.

        Args:
            at: what it said. It is at least so late now.
            took: since the request was sent. It is later by at most this time and a second.

        """
        zero = at.timestamp() - self._monotonic()
        with self._lock:
            held = self._zero
            if held is None or zero > held or held - zero > took.total_seconds() + AGREES:
                self._zero = zero

    def hook(self, response: "Response", *_: object, **__: object) -> None:
        """Read the time of an answer; a hook of requests ("response").

        It comes after `answers.refuse_others`: a proxy on the way says its own time.
        """
        try:
            at = parsedate_to_datetime(response.headers.get("Date", ""))
        except (ValueError, OverflowError):
            return
        self.answered(at, response.elapsed)

    def __call__(self) -> datetime:
        """The time in UTC. If storage has said none, it goes on from the machine's."""
        machine = self._machine()
        with self._lock:
            if self._zero is None:
                self._zero = machine - self._monotonic()
            told = self._zero + self._monotonic()
        seconds = machine if abs(machine - told) <= AGREES else told
        return datetime.fromtimestamp(seconds, UTC)
