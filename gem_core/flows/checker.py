"""What the checks of jobs depend on: GEM, storage, the queue of batches, the clock."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gem_core.flows.ask_gem import Gem
from gem_core.logs import ThreadLines
from gem_core.watch.batch import Batch, BatchPlan
from gem_core.watch.discovery import Discovery
from gem_core.watch.durations import DurationStore
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.poison import Poison
from gem_core.watch.rate_limiter import RateLimiter
from gem_core.watch.registry import JobRegistry
from gem_core.watch.retention import Retention
from gem_core.watch.schedule import Policy


class Batches(Protocol):
    """The queue by which due jobs are sent to `check_batch`; see `watch.batch_queue`."""

    def waiting(self) -> int:
        """The approximate number of batches on the queue. Raises StoreError."""
        ...

    def send(self, batch: Batch, *, hidden_for: timedelta, expires_after: timedelta) -> None:
        """Send a batch. Raises StoreError."""
        ...


class Each(Protocol):
    """Calls a function with each item, in this order, several at once."""

    def __call__[T, R](self, do: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The result for each item, in the order of the items."""
        ...


def in_threads(concurrency: int) -> Each:
    """Call the function in so many threads. The calling thread logs what they log."""

    def each[T, R](do: Callable[[T], R], items: Iterable[T]) -> list[R]:
        lines = ThreadLines()
        with ThreadPoolExecutor(concurrency, "check", initializer=lines.hand_over) as pool:
            work = [pool.submit(do, item) for item in items]
            lines.log_until_done(work)
        return [done.result() for done in work]

    return each


@dataclass(frozen=True, slots=True)
class Checker:
    """The dependencies of a check."""

    registry: JobRegistry
    heartbeat: Heartbeat
    gem: Gem
    policy: Policy
    limiter: RateLimiter
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    """Returns a random number from 0 up to 1."""
    each: Each
    places: int
    """Questions to GEM that may run at the same time."""
    poison: tuple[Poison, ...] = ()
    """The poison queues whose messages a tick counts."""
    durations: DurationStore | None = None
    """How long earlier jobs ran; with None this is neither read nor stored."""
    batches: Batches | None = None
    """With None a tick checks the jobs itself."""
    discovery: Discovery | None = None
    """Which jobs of GEM's list are added; with None the list is not asked for."""
    retention: Retention | None = None
    """What is deleted of old jobs; with None nothing is."""
    plan: BatchPlan | None = None
    """How the due jobs are divided into batches."""
