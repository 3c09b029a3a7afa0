"""When a job will end, as far as its progress or earlier jobs tell. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.gem.contracts.known import status_in
from gem_core.gem.job import JobStatus
from gem_core.watch.durations import Durations, Learned, kind
from gem_core.watch.record import JobRecord

PROGRESS_STEP = 1.0
"""GEM's page shows progress in whole percent, so 65 may be anything up to 66."""
FEW = 0.25
"""Of one earlier job alone the next may depart by this share; of n jobs by a nth of it more than
they do among themselves."""
SCATTER = 0.03
TELLING = 2.0
"""Earlier jobs that differ by more than this factor tell nothing."""
LEARNING_SHARE = 10
"""A tenth of the whole time."""
_FAR_SECONDS = 1e9
"""Beyond every cap; a progress of next to nothing would else leave the calendar."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The job will hardly end before `early`, and likely until `late`."""

    early: datetime
    late: datetime


def expected_end(record: JobRecord, known: Durations) -> Expectation | None:
    """When a running job will end; None when nothing tells it."""
    if not record.job or record.job.status is not JobStatus.RUNNING:
        return None
    return _by_progress(record) or _by_earlier_jobs(record, known)


def learned(record: JobRecord) -> list[Learned]:
    """What a job that has finished teaches: how long it ran, as well as we know; or nothing."""
    job, seen_at = record.job, record.checked_at
    name = kind(job) if job else None
    if not job or not name or not seen_at:
        return []
    began, told = began_running(record), job.modified_at
    ended = told if told and began < told <= seen_at else seen_at
    seconds = round((ended - began).total_seconds(), 1)
    return [Learned(name, seconds)] if seconds > 0 else []


def began_running(record: JobRecord) -> datetime:
    """When the job began to run, as well as we know.

    We saw it begin if we saw another status before; else GEM's own creation time is the best guess,
    unless it lies in the future of our clock.
    """
    job = record.job
    for seen in record.history[1:]:
        if job and status_in(job, seen.status) is JobStatus.RUNNING:
            return seen.at
    created = job.created_at if job else None
    return min(created, record.registered_at) if created else record.registered_at


def learning_time(record: JobRecord, known: Durations) -> timedelta:
    """How long to wait at least for something to learn from, before an end is expected.

    A queued job cannot end before it has run, so its start may be seen a little late; and progress
    tells little before there was some.
    """
    job = record.job
    if job and job.status is JobStatus.QUEUED and (bounds := _bounds(known.of(job))):
        return timedelta(seconds=bounds[0]) / LEARNING_SHARE
    if record.progress and (percent := record.progress[-1].percent):
        took = (record.progress[-1].at - began_running(record)).total_seconds()
        return timedelta(seconds=min(took * 100 / percent, _FAR_SECONDS)) / LEARNING_SHARE
    return timedelta(0)


def _by_progress(record: JobRecord) -> Expectation | None:
    """From the first progress that GEM told and the present one, at the times they were first seen.

    Not from the start: how long the job was queued is known only roughly.
    """
    if len(record.progress) < 2:  # noqa: PLR2004 - the first and the present one
        return None
    first, last = record.progress
    seconds = max((last.at - first.at).total_seconds(), 0)
    pace = min(seconds / (last.percent - first.percent), _FAR_SECONDS)
    late = pace * (100 - last.percent)
    early = pace * max(100 - last.percent - PROGRESS_STEP, 0)
    return Expectation(_after(last.at, early), _after(last.at, late))


def _by_earlier_jobs(record: JobRecord, known: Durations) -> Expectation | None:
    bounds = _bounds(known.of(record.job)) if record.job else None
    if bounds is None:
        return None
    began = began_running(record)
    return Expectation(_after(began, bounds[0]), _after(began, bounds[1]))


def _bounds(seconds: tuple[float, ...]) -> tuple[float, float] | None:
    """The least and the most that is likely next, in seconds."""
    if not seconds or max(seconds) > TELLING * min(seconds):
        return None
    margin = SCATTER + FEW / len(seconds)
    return min(seconds) * (1 - margin), max(seconds) * (1 + margin)


def _after(began: datetime, seconds: float) -> datetime:
    return began + timedelta(seconds=min(seconds, _FAR_SECONDS))
