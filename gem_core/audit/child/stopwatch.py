"""How long at least one of several things was under way. Edge: clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Stopwatch:
    """Runs while at least one thread is within `running`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running = 0
        self._since = 0.0
        self._total = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let it run meanwhile."""
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    @property
    def seconds(self) -> float:
        """So far."""
        with self._lock:
            return self._total + self._now()

    def _change(self, by: int) -> None:
        with self._lock:
            self._total += self._now()
            self._since = time.monotonic()
            self._running += by

    def _now(self) -> float:
        return time.monotonic() - self._since if self._running else 0.0
