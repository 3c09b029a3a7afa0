"""What one look-up may read and compute, and what it has. Edge: clock."""

import time
from dataclasses import dataclass, field
from threading import Lock

from gem_core.audit.options import OvertureLimits


class Stopped(Exception):
    """The look-up ends before it knows everything. The message says why, with figures."""


@dataclass(slots=True)
class Meter:
    """Counts from its making on."""

    limits: OvertureLimits
    bytes_read: int = 0
    requests: int = 0
    _cpu: float = field(default_factory=time.process_time)
    _began: float = field(default_factory=time.monotonic)
    _lock: Lock = field(default_factory=Lock)

    @property
    def cpu_seconds(self) -> float:
        """Of this process, all threads together."""
        return time.process_time() - self._cpu

    def count(self, bytes_read: int, requests: int) -> None:
        """Count what was read; several threads may."""
        with self._lock:
            self.bytes_read += bytes_read
            self.requests += requests

    def allow(self, bytes_more: int, what: str) -> None:
        """Raise Stopped unless so many more bytes may be read."""
        if self.bytes_read + bytes_more > self.limits.max_bytes:
            raise Stopped(
                f"{what} would take {_mib(bytes_more)} MiB after {_mib(self.bytes_read)}; "
                f"GEM_OVERTURE_MAX_MIB or --overture-max allows {self.limits.max_bytes >> 20}"
            )

    def check(self) -> None:
        """Raise Stopped when the time is over."""
        cpu, wall = self.cpu_seconds, time.monotonic() - self._began
        if cpu > self.limits.cpu_seconds or wall > self.limits.wall_seconds:
            raise Stopped(
                f"the look-up took {cpu:.0f} s of CPU time in {wall:.0f} s, after "
                f"{_mib(self.bytes_read)} MiB; {self.limits.cpu_seconds} s and "
                f"{self.limits.wall_seconds:.0f} s are allowed"
            )


def _mib(count: int) -> int:
    return -(-count // (1 << 20))
