"""Whether Overture's storage is fast enough for deliveries to wait for it. Edge: clock.

An instance has one delivery at a time, so a storage that answers slowly would hold up every job.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from gem_core.errors import OutputUnreachable

SLOW_SECONDS = 10.0
"""Requests that together took longer, with fewer bytes than `STEADY`, are slow."""
LATENCY_SECONDS = 0.5
"""What a request may take beside its bytes: footers and lists are small, and the storage is far."""
STEADY = 256 << 10
"""Bytes a second of one request. Four run at a time."""
REST_SECONDS = 900.0
"""How long a slow storage is not asked."""


@dataclass(slots=True)
class _Requests:
    """The requests of one look-up."""

    seconds: float = 0.0
    bytes_: int = 0

    @property
    def are_slow(self) -> bool:
        return self.seconds > SLOW_SECONDS and self.bytes_ < self.seconds * STEADY


class Patience:
    """The requests of one look-up after another, and when there may be a next one. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests = _Requests()
        self._rests_until = 0.0

    def begin(self) -> None:
        """Begin a look-up.

        Raises:
            OutputUnreachable: the storage was slow, and is not asked yet.

        """
        with self._lock:
            now = time.monotonic()
            if self._requests.are_slow:
                self._rests_until = now + REST_SECONDS
            self._requests = _Requests()
            if now < self._rests_until:
                minutes = -(-(self._rests_until - now) // 60)
                raise OutputUnreachable(
                    f"Overture's storage was too slow, and is asked again in {minutes:.0f} minutes"
                )

    @contextmanager
    def request(self, length: int = 0) -> Iterator[None]:
        """Count a request for so many bytes.

        It may end after its look-up was given up: then it does not count for the next one.

        Raises:
            OutputUnreachable: the requests of this look-up were slow.

        """
        requests = self._requests
        if requests.are_slow:
            raise OutputUnreachable(
                f"the storage is too slow: {requests.bytes_:,} bytes came in "
                f"{requests.seconds:.0f} s"
            )
        began = time.monotonic()
        try:
            yield
        except BaseException:
            length = 0
            raise
        finally:
            with self._lock:
                requests.seconds += max(time.monotonic() - began - LATENCY_SECONDS, 0)
                requests.bytes_ += length
