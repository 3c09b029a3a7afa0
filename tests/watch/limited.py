"""Runs that share a rate, and their clock."""

from datetime import timedelta

from gem_core.watch.rate_limiter import Lease, RateLimiter, SleepClock
from tests.fakes import START, FakeClock, MemoryDocuments, Trap

NEVER = START + timedelta(days=99)
SECOND = timedelta(seconds=1)


class World:
    """Processes that share the documents. A pause moves the clock."""

    def __init__(self, per_second: float, count: int = 1) -> None:
        self.clock = FakeClock()
        self.documents = MemoryDocuments(self.clock)
        self.per_second, self.count = per_second, count

    def limiter(self, *, moves: bool = True, trap: Trap | None = None) -> RateLimiter:
        """The rate limiter of one process."""

        def pause(seconds: float) -> None:
            if moves:
                self.clock.move(seconds=seconds)

        return RateLimiter(
            trap.around(self.documents, "leases") if trap else self.documents,
            count=self.count,
            per_second=self.per_second,
            clock=SleepClock(self.clock, pause),
        )

    def acquire(self) -> Lease:
        lease = self.limiter().acquire()
        assert lease
        return lease
