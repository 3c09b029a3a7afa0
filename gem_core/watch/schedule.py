"""When to ask GEM next, when to stop asking, and when to raise a ticket again. Pure.

No clock and no dice: `now` and `jitter` are arguments.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.gem.contracts.known import is_known
from gem_core.gem.job import JobStatus
from gem_core.watch.durations import Durations
from gem_core.watch.expectation import Expectation, began_running, expected_end, learning_time
from gem_core.watch.record import JobRecord, Settlement

LOST_AFTER_ANSWERS = 3
"""A job is lost only after so many answers 404 in a row, however long they took."""
JITTER = 0.2
"""Each wait is shortened by up to this share, at the cap too, so that jobs do not fall in step."""
AGE_SHARE = 10
"""Without an expected end the wait grows with the age: a tenth of it."""
DENSE = timedelta(minutes=1)
"""The wait while the end may come."""
OVERDUE_SHARE = 5
"""After the expected end the wait grows with the time since: a fifth of it."""
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
    repeat_ticket_after: timedelta
    """From a ticket that led to no delivery to the next ticket."""


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
        # Another contract has answered before, and this version cannot ask in it.
        and (record.job is None or is_known(record.job))
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
    known: Durations | None = None,
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
        known: how long earlier jobs ran.

    """
    wait = _wait(record, now, policy, known or Durations())
    deadline = record.registered_at + policy.job_deadline
    if now < deadline:
        wait = min(wait, deadline - now)
    wait = min(max(wait, policy.check_min), policy.check_max)
    if claimed and now + max(wait * (1 - JITTER), retry_after) <= claimed <= now + wait:
        return claimed
    return now + max(wait * (1 - JITTER * jitter), retry_after)


def _wait(record: JobRecord, now: datetime, policy: Policy, known: Durations) -> timedelta:
    """Without jitter and limits."""
    if record.failures:
        doubled: timedelta = policy.check_min * 2 ** min(record.failures - 1, 20)
        return doubled
    if record.not_found:
        return policy.lost_after / LOST_AFTER_ANSWERS
    by_age = (now - _began(record)) / AGE_SHARE
    end = expected_end(record, known)
    if end:
        return _towards(end, now, by_age)
    return max(by_age, learning_time(record, known))


def _towards(end: Expectation, now: datetime, by_age: timedelta) -> timedelta:
    """Nothing until the end may have come, then often; when it stays away, ever less often."""
    if now < end.early:
        return min(end.early + DENSE, max(end.late, end.early)) - now
    overdue = (now - end.late) / OVERDUE_SHARE
    return max(DENSE, min(overdue, by_age))


def _began(record: JobRecord) -> datetime:
    """When the present status began, as well as we know."""
    job = record.job
    if job and job.status is JobStatus.RUNNING:
        return began_running(record)
    for seen in record.history[1:]:
        if job and seen.status == job.status_text:
            return seen.at
    created = job.created_at if job else None
    return min(created, record.registered_at) if created else record.registered_at


def next_ticket(record: JobRecord, now: datetime, policy: Policy) -> datetime:
    """When to raise the ticket again if no report follows: doubling, up to an hour."""
    wait: timedelta = policy.repeat_ticket_after * 2 ** min(max(record.tickets - 1, 0), 20)
    return now + min(wait, max(MAX_SWEEP_WAIT, policy.repeat_ticket_after))
