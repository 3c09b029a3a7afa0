"""`make polling`: requests per job and delay until its end is detected, for polling policies.

It uses virtual time and the app's schedule, with a tick each minute as in the default settings. The
seed is fixed, so the table is the same on every machine.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from gem_core.gem.contracts.known import read
from gem_core.watch.durations import Durations
from gem_core.watch.expectation import observed_durations
from gem_core.watch.record import JobRecord
from gem_core.watch.schedule import Policy, next_check

START = datetime(2026, 1, 1, tzinfo=UTC)
TICK = 60.0
"""Seconds between ticks."""
LENGTHS = {"5 minutes": 300.0, "30 minutes": 1800.0, "2.7 hours": 9751.0, "3 days": 259_200.0}
"""Durations of jobs in seconds. The third is the duration in GEM's documentation."""
SCATTER = 0.1
"""Standard deviation of the logarithm of the duration, for jobs with the same input."""
EARLIER = 10
"""Number of earlier jobs with the same input."""
POLICY = Policy(
    check_min=timedelta(seconds=30),
    check_max=timedelta(minutes=10),
    job_deadline=timedelta(hours=168),
    lost_after=timedelta(hours=1),
    repeat_ticket_after=timedelta(minutes=10),
)
"""The default settings."""


@dataclass(frozen=True, slots=True)
class Life:
    """One job. Times are in seconds after its registration."""

    starts: float
    ends: float
    course: tuple[tuple[float, float], ...] | None
    """Share of the running time, progress; straight lines between them. None: no progress."""

    def answer(self, at: float) -> dict[str, Any]:
        """GEM's answer at a time."""
        answer: dict[str, Any] = {
            "jobRunId": "job-1",
            "inputFileName": "roads.parquet",
            "matchingType": "road",
            "createdAt": START.isoformat(),
        }
        if at < self.starts:
            return answer | {"status": "queued"}
        if at >= self.ends:
            # Without modifiedAt: we know the end no better than we saw it.
            return answer | {"status": "finished"}
        if self.course is None:
            return answer | {"status": "running"}
        share = (at - self.starts) / (self.ends - self.starts)
        return answer | {"status": "running", "progress": int(self._progress(share, self.course))}

    @staticmethod
    def _progress(share: float, course: tuple[tuple[float, float], ...]) -> float:
        for (begin, low), (end, high) in pairwise(course):
            if share < end:
                return low + (high - low) * (share - begin) / (end - begin)
        return 100.0


def dice_of(seed: int) -> Random:
    """A random generator with a seed."""
    return Random(seed)


def life(dice: Random, seconds: float, progress: str) -> Life:
    """A job that is queued for about half a minute and then runs for about `seconds`."""
    starts = dice.expovariate(1 / 30)
    runs = seconds * dice.lognormvariate(0, SCATTER)
    courses = {"linear": ((0.0, 0.0), (1.0, 100.0)), "absent": None}
    course = courses[progress] if progress in courses else _uneven(dice)
    return Life(starts, starts + runs, course)


def _uneven(dice: Random) -> tuple[tuple[float, float], ...]:
    """Five phases, each up to three times as fast or as slow as the average."""
    times = [dice.uniform(0.5, 1.5) for _ in range(5)]
    steps = [time * dice.uniform(0.33, 1.67) for time in times]
    course = [(0.0, 0.0)]
    for time, step in zip(times, steps, strict=True):
        share, percent = course[-1]
        course.append((share + time / sum(times), percent + 100 * step / sum(steps)))
    return (*course[:-1], (1.0, 100.0))


type Asking = Callable[[Life, Random], Iterator[float]]
"""Yields the seconds at which a policy sends a request, until the job has ended."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The result for one job."""

    requests: int
    delay: float
    """Seconds between the end of the job and its detection."""


def watch(asking: Asking, job: Life, dice: Random) -> Watched:
    """Apply a policy to a job until its end."""
    for number, at in enumerate(asking(job, dice), 1):
        if at >= job.ends:
            return Watched(number, at - job.ends)
    raise AssertionError("a policy asks until the end")


def fixed(seconds: float) -> Asking:
    """A policy with a fixed time between requests."""

    def asks(_: Life, dice: Random) -> Iterator[float]:
        at = dice.uniform(0, TICK)
        while True:
            yield at
            at += seconds

    return asks


def exponential(factor: float, cap: float) -> Asking:
    """A policy with exponential waits from 1 second up to a cap. Requests are sent by ticks."""

    def asks(_: Life, dice: Random) -> Iterator[float]:
        phase, wait = dice.uniform(0, TICK), 1.0
        at = phase
        while True:
            yield at
            at, wait = _next_tick(at + wait, phase), min(wait * factor, cap)

    return asks


def app_schedule(known: Durations) -> Asking:
    """By the app's own record and schedule."""

    def asks(job: Life, dice: Random) -> Iterator[float]:
        phase = dice.uniform(0, TICK)
        record = JobRecord("job-1", registered_at=START, due_at=START)
        at = phase
        while True:
            yield at
            now = START + timedelta(seconds=at)
            record = record.answered(read(job.answer(at), job_run_id="job-1"), now)
            due = next_check(record, now, POLICY, jitter=dice.random(), known=known)
            at = _next_tick((due - START).total_seconds(), phase)

    return asks


def _next_tick(at: float, phase: float) -> float:
    """The first tick at or after a moment."""
    return phase + -(-(at - phase) // TICK) * TICK


def earlier_jobs(seconds: float, seed: int) -> Durations:
    """The durations that the app has learned from earlier jobs with the same input."""
    known = Durations()
    dice = dice_of(seed)
    for _ in range(EARLIER):
        job = life(dice, seconds, "absent")
        record = JobRecord("job-1", registered_at=START, due_at=START)
        for at in app_schedule(known)(job, dice):
            now = START + timedelta(seconds=at)
            record = record.answered(read(job.answer(at), job_run_id="job-1"), now)
            if at >= job.ends:
                break
        known = known.adding(observed_durations(record))
    return known


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of many jobs."""

    requests: float
    """Mean number of requests per job."""
    median: float
    """Median delay in seconds."""
    most: float
    """The 95th percentile of the delay, in seconds."""


def measure(asking: Asking, seconds: float, progress: str, *, jobs: int, seed: int) -> Figures:
    """Apply a policy to many jobs. All policies get the same jobs."""
    lives, dice = dice_of(seed), dice_of(seed + 1)
    done = [watch(asking, life(lives, seconds, progress), dice) for _ in range(jobs)]
    delays = [each.delay for each in done]
    return Figures(
        statistics.fmean(each.requests for each in done),
        statistics.median(delays),
        statistics.quantiles(delays, n=20)[-1],
    )


def rows(seconds: float, *, jobs: int, seed: int = 1) -> dict[str, Figures]:
    """The figures of all policies for jobs of one duration."""
    known = earlier_jobs(seconds, seed)
    nothing = Durations()
    linear = "linear"
    found = {
        "fixed 60 s": measure(fixed(60), seconds, linear, jobs=jobs, seed=seed),
        "fixed 5 min": measure(fixed(300), seconds, linear, jobs=jobs, seed=seed),
        "x1.5 up to 120 s": measure(exponential(1.5, 120), seconds, linear, jobs=jobs, seed=seed),
    }
    for progress in ("linear", "uneven"):
        found[f"the app, progress {progress}"] = measure(
            app_schedule(nothing), seconds, progress, jobs=jobs, seed=seed
        )
    found["the app, progress and earlier jobs"] = measure(
        app_schedule(known), seconds, linear, jobs=jobs, seed=seed
    )
    found["the app, earlier jobs"] = measure(
        app_schedule(known), seconds, "absent", jobs=jobs, seed=seed
    )
    found["the app, nothing known"] = measure(
        app_schedule(nothing), seconds, "absent", jobs=jobs, seed=seed
    )
    return found


def main(*, jobs: int = 300) -> None:
    """Print the table."""
    table = Table(title=f"{jobs} jobs each; delays in seconds; in brackets: of fixed 60 s")
    for heading in ("jobs of", "policy", "requests", "", "median delay", "", "95 %"):
        table.add_column(heading, justify="right" if heading != "policy" else "left")
    for length, seconds in LENGTHS.items():
        found = rows(seconds, jobs=jobs)
        base = found["fixed 60 s"]
        for policy, figures in found.items():
            table.add_row(
                length,
                policy,
                f"{figures.requests:.1f}",
                f"({figures.requests / base.requests:.2f})",
                f"{figures.median:.0f}",
                f"({figures.median / base.median:.1f})",
                f"{figures.most:.0f}",
            )
        table.add_section()
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
