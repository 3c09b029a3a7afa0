"""Shares the places of a run between jobs, so that jobs without an answer never delay the others.

A question without an answer may take a minute. Jobs whose last question failed therefore use at
most a quarter of the places, and at least one. The other jobs always have a place; if there is only
one place, both kinds use it in turn.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from gem_core.watch.marker import OpenJob

FAILED_SHARE = 4
"""One of so many places, jobs of a batch, or batches is for jobs whose last question failed."""


def failed_share(places: int) -> int:
    """How many of these places are for jobs whose last question failed."""
    return max(1, places // FAILED_SHARE)


class Turns:
    """The due jobs of a run. Each place takes its jobs from here; places may be threads."""

    def __init__(self, due: Sequence[OpenJob], places: int) -> None:
        self._healthy, self._failed = _by_kind(due)
        self._free = failed_share(places)
        """Places for failed jobs that no job uses now."""
        self._is_only_place = places == 1
        self._last_failed = True
        self._lock = Lock()

    def run(self, do: Callable[[OpenJob], object]) -> None:
        """What one place does: it takes jobs until none is left for it.

        Failed jobs may be left when a place ends. The places that have one now take them.
        """
        while job := self._take():
            try:
                do(job)
            finally:
                with self._lock:
                    self._free += job.has_failed

    def _take(self) -> OpenJob | None:
        with self._lock:
            waits = self._is_only_place and self._last_failed and self._healthy
            self._last_failed = bool(self._failed and self._free and not waits)
            if self._last_failed:
                self._free -= 1
                return self._failed.popleft()
            return self._healthy.popleft() if self._healthy else None


def mixed(due: Sequence[OpenJob], size: int) -> Iterator[tuple[OpenJob, ...]]:
    """Divide jobs into groups of at most `size`. While there are others, failed jobs have only
    their share of a group; with one job in a group, groups have both kinds in turn.
    """
    healthy, failed = _by_kind(due)
    is_failed_turn = False
    while healthy:
        share = failed_share(size) if size > 1 else int(is_failed_turn)
        is_failed_turn = not is_failed_turn
        some = _take(failed, share)
        yield (*_take(healthy, size - len(some)), *some)
    while failed:
        yield _take(failed, size)


def _by_kind(due: Sequence[OpenJob]) -> tuple[deque[OpenJob], deque[OpenJob]]:
    return deque(j for j in due if not j.has_failed), deque(j for j in due if j.has_failed)


def _take(jobs: deque[OpenJob], count: int) -> tuple[OpenJob, ...]:
    return tuple(jobs.popleft() for _ in range(min(count, len(jobs))))
