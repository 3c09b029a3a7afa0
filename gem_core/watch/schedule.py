"""When to ask GEM next, when to stop asking, and when to raise a ticket again. Pure.

No clock and no dice: `now` and `jitter` are arguments.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.gem.job import JobStatus
from gem_core.watch.record import JobRecord, Settlement

LOST_AFTER_ANSWERS = 3
"""A job is lost only after so many answers 404 in a row, however long they took."""
JITTER = 0.2
"""Each wait is shortened by up to this share, at the cap too, so that jobs do not fall in step."""
AGE_SHARE = 10
"""Without progress the wait grows with the age: a tenth of it."""
_FAR_SECONDS = 1e9
"""Beyond every cap; a progress of next to nothing would else leave the calendar."""
MAX_SWEEP_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's limits."""

    check_min: timedelta
    """Least time between two questions about one job."""
    check_max: timedelta
    """Most time between two questions about one job, but for `Retry-After`."""
    job_deadline: timedelta
    """From registration to `expired`."""
    lost_after: timedelta
    """From the first 404 in a row to `lost`."""
    redeliver_after: timedelta
    """From a ticket without a report to the next ticket."""


def settlement(record: JobRecord, now: datetime, policy: Policy) -> Settlement | None:
    """Whether to stop asking, judged right after an answer of GEM (a job, or 404).

    Never called after a request that failed: that says nothing about the job.
    """
    if not record.not_found and record.job and record.job.status and record.job.status.is_final:
        return Settlement(record.job.status)
    if (
        record.not_found >= LOST_AFTER_ANSWERS
        and record.not_found_since
        and now - record.not_found_since >= policy.lost_after
    ):
        return Settlement.LOST
    if now - record.registered_at >= policy.job_deadline:
        return Settlement.EXPIRED
    return None


def next_check(
    record: JobRecord,
    now: datetime,
    policy: Policy,
    *,
    jitter: float,
    retry_after: timedelta = timedelta(0),
    claimed: datetime | None = None,
) -> datetime:
    """When to ask about a job again.

    Args:
        record: after the question that was just asked.
        now: the time of that question.
        policy: the operator's limits.
        jitter: 0 (none) up to 1 (all of it).
        retry_after: what GEM asked for; kept even above the cap, since it is their service.
        claimed: until when the job's marker is claimed. When that is as good a moment as any that
            jitter gives, it is taken: the marker need not be written again.

    """
    wait = min(max(_wait(record, now, policy), policy.check_min), policy.check_max)
    if claimed and now + max(wait * (1 - JITTER), retry_after) <= claimed <= now + wait:
        return claimed
    return now + max(wait * (1 - JITTER * jitter), retry_after)


def _wait(record: JobRecord, now: datetime, policy: Policy) -> timedelta:
    if record.failures:
        doubled: timedelta = policy.check_min * 2 ** min(record.failures - 1, 20)
        return doubled
    if record.not_found:
        return policy.lost_after / LOST_AFTER_ANSWERS
    return _remaining(record, now) or (now - _began(record)) / AGE_SHARE


def _remaining(record: JobRecord, now: datetime) -> timedelta | None:
    """The time to the expected end, from progress and elapsed time; None without progress."""
    job = record.job
    if not job or job.status is not JobStatus.RUNNING or not job.progress:
        return None
    seconds = (now - _began(record)).total_seconds() * ((100 - job.progress) / job.progress)
    return timedelta(seconds=min(seconds, _FAR_SECONDS))


def _began(record: JobRecord) -> datetime:
    """When the present status began, as well as we know.

    We saw it begin if we saw another status before; else GEM's own creation time is the best guess,
    unless it lies in the future of our clock.
    """
    job = record.job
    for seen in record.history[1:]:
        if job and seen.status == job.status_text:
            return seen.at
    created = job.created_at if job else None
    return min(created, record.registered_at) if created else record.registered_at


def next_ticket(record: JobRecord, now: datetime, policy: Policy) -> datetime:
    """When to raise the ticket again if no report follows: doubling, up to an hour."""
    wait: timedelta = policy.redeliver_after * 2 ** min(max(record.tickets - 1, 0), 20)
    return now + min(wait, max(MAX_SWEEP_WAIT, policy.redeliver_after))
