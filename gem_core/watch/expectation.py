"""Estimates when a job will end, from its progress or from earlier jobs. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.gem.contracts.known import status_in
from gem_core.gem.job import JobStatus
from gem_core.watch.durations import Durations, JobDuration, kind
from gem_core.watch.record import JobRecord

PROGRESS_STEP = 1.0
"""In percent. GEM's documentation shows whole percent, so 65 may mean anything up to 66."""
SINGLE_MARGIN = 0.25
"""With one earlier job, the next job may differ from it by this share. With n earlier jobs it may
be outside their range by a n-th of this share."""
MIN_MARGIN = 0.03
"""The least share by which the next job may be outside that range."""
MAX_RATIO = 2.0
"""If the longest earlier job ran more than this many times as long as the shortest one, they are
not used."""
LEARNING_DIVISOR = 10
"""The first estimate is made after a tenth of the whole time."""
_MAX_SECONDS = 1e9
"""About 30 years, which is longer than every limit. A longer time would be no valid date."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The job will hardly end before `early`, and will probably have ended at `late`."""

    early: datetime
    late: datetime


def expected_end(record: JobRecord, known: Durations) -> Expectation | None:
    """When a running job will end; None when neither progress nor earlier jobs show it."""
    if not record.job or record.job.status is not JobStatus.RUNNING:
        return None
    return _by_progress(record) or _by_earlier_jobs(record, known)


def observed_durations(record: JobRecord) -> list[JobDuration]:
    """How long a finished job ran, as exactly as is known: one duration, or none when unknown."""
    job, seen_at = record.job, record.checked_at
    name = kind(job) if job else None
    if not job or not name or not seen_at:
        return []
    began, modified_at = began_running(record), job.modified_at
    ended = modified_at if modified_at and began < modified_at <= seen_at else seen_at
    seconds = round((ended - began).total_seconds(), 1)
    return [JobDuration(name, seconds)] if seconds > 0 else []


def began_running(record: JobRecord) -> datetime:
    """When the job began to run, as exactly as is known.

    If the job had another status before, the history has the time. Otherwise it is the time at
    which GEM created the job, or the registration if that was earlier.
    """
    job = record.job
    for change in record.history[1:]:
        if job and status_in(job, change.status) is JobStatus.RUNNING:
            return change.at
    created = job.created_at if job else None
    return min(created, record.registered_at) if created else record.registered_at


def learning_time(record: JobRecord, known: Durations) -> timedelta:
    """The least wait while no end is expected yet.

    A queued job cannot end before it has run, so its start may be seen a little late. A running job
    must first make some progress before its progress says anything.
    """
    job = record.job
    if job and job.status is JobStatus.QUEUED and (bounds := _bounds(known.of(job))):
        return timedelta(seconds=bounds[0]) / LEARNING_DIVISOR
    if record.progress and (percent := record.progress[-1].percent):
        took = (record.progress[-1].at - began_running(record)).total_seconds()
        return timedelta(seconds=min(took * 100 / percent, _MAX_SECONDS)) / LEARNING_DIVISOR
    return timedelta(0)


def _by_progress(record: JobRecord) -> Expectation | None:
    """An estimate from the first and the present progress, each at the time it was first seen.

    The start of the job is not used: how long the job was queued is known only roughly.
    """
    if not record.progress:
        return None
    # A newer version of the app may store more readings.
    first, last = record.progress[0], record.progress[-1]
    if first.percent >= last.percent:
        return None
    seconds = max((last.at - first.at).total_seconds(), 0)
    pace = min(seconds / (last.percent - first.percent), _MAX_SECONDS)
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
    """The shortest and the longest time that the next job will probably run, in seconds."""
    if not seconds or max(seconds) > MAX_RATIO * min(seconds):
        return None
    margin = MIN_MARGIN + SINGLE_MARGIN / len(seconds)
    return min(seconds) * (1 - margin), max(seconds) * (1 + margin)


def _after(began: datetime, seconds: float) -> datetime:
    return began + timedelta(seconds=min(seconds, _MAX_SECONDS))
