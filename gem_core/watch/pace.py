"""A request budget: so many a second, evenly spaced, for all threads together.

Pure of libraries: the clock and the pause come in as arguments.
"""

from collections.abc import Callable
from threading import Lock


class Pace:
    """Hands out moments to go, at least 1/rate apart."""

    def __init__(
        self,
        per_second: float,
        *,
        monotonic: Callable[[], float],
        pause: Callable[[float], object],
    ) -> None:
        """Start at once.

        Args:
            per_second: requests a second.
            monotonic: seconds of a clock that never goes back.
            pause: waits for so many seconds.

        """
        self._gap = 1 / per_second
        self._monotonic = monotonic
        self._pause = pause
        self._next = monotonic()
        self._lock = Lock()

    def wait(self) -> None:
        """Wait until the next moment to go."""
        with self._lock:
            now = self._monotonic()
            at = max(self._next, now)
            self._next = at + self._gap
        if at > now:
            self._pause(at - now)
