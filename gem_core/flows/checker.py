"""What checking jobs needs of the world: its edges, as the stories see them."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gem_core.gem.job import GemJob
from gem_core.watch.batch import Batch, Plan
from gem_core.watch.durations import DurationBook
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.rate_limiter import RateLimiter
from gem_core.watch.registry import JobRegistry, OpenJob
from gem_core.watch.schedule import Policy


class Gem(Protocol):
    """What is needed of GEM."""

    def get_job(self, job_run_id: str) -> GemJob:
        """What GEM says of one job now; raises GemError."""
        ...


class Batches(Protocol):
    """Where due jobs are handed to `check_batch`."""

    def waiting(self) -> int:
        """About how many batches have not been worked on yet. Raises StoreError."""
        ...

    def send(self, batch: Batch, *, hidden: timedelta, kept: timedelta) -> None:
        """Hand out a batch: hidden for so long, and dropped after so long. Raises StoreError."""
        ...


class PoisonCount(Protocol):
    """A queue of messages that failed too often."""

    def count(self) -> int:
        """How many messages are on it, about. Raises StoreError."""
        ...


class Each(Protocol):
    """Does something about every job, in this order, several at once."""

    def __call__[T](self, do: Callable[[OpenJob], T], jobs: Iterable[OpenJob]) -> list[T]:
        """What came of each."""
        ...


def in_threads(concurrency: int) -> Each:
    """So many jobs at once, each in a thread."""

    def each[T](do: Callable[[OpenJob], T], jobs: Iterable[OpenJob]) -> list[T]:
        with ThreadPoolExecutor(concurrency, "check") as pool:
            return list(pool.map(do, jobs))

    return each


@dataclass(frozen=True, slots=True)
class Checker:
    """All that it takes to check jobs."""

    registry: JobRegistry
    heartbeat: Heartbeat
    gem: Gem
    policy: Policy
    limiter: RateLimiter
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    """0 up to 1."""
    each: Each
    poison: tuple[PoisonCount, ...] = ()
    """The queues of failed messages that a tick counts."""
    durations: DurationBook | None = None
    """How long earlier jobs ran; None learns nothing."""
    batches: Batches | None = None
    """None: a tick asks by itself."""
    plan: Plan | None = None
    """Of the batches."""
