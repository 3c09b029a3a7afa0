"""Decides when to ask GEM next, when to stop asking, and when to raise a ticket again. Pure.

The time and the random numbers are arguments: `now` and `jitter`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.gem.contracts.known import is_known
from gem_core.gem.job import JobStatus
from gem_core.watch.durations import Durations
from gem_core.watch.expectation import Expectation, began_running, expected_end, learning_time
from gem_core.watch.record import JobRecord, Settlement

LOST_AFTER_ANSWERS = 6
"""A job is lost only after this many 404 answers in a row, even if `Policy.lost_after` has passed.
A clock that jumps forward makes time pass, but brings no answers."""
EXPIRED_AFTER_ANSWERS = 3
"""A job is expired only when GEM has answered this many questions in a row after the deadline. A
clock that is ahead for a while makes the deadline pass, but brings no answers."""
JITTER = 0.2
"""Each wait is shortened by up to this share, so that jobs are not all due at the same time."""
AGE_DIVISOR = 10
"""Without an expected end, the wait is a tenth of the job's age."""
NEAR_END_WAIT = timedelta(minutes=1)
"""The wait while the job may end at any time."""
OVERDUE_DIVISOR = 5
"""After the expected end, the wait is a fifth of the time since then."""
MAX_SWEEP_WAIT = timedelta(hours=1)
"""The longest time until a ticket is raised again."""
MAX_RETRY_AFTER = timedelta(hours=1)
"""The longest wait that GEM may ask for (`Retry-After`)."""
CLOCK_SKEW = timedelta(minutes=5)
"""By how much the clocks of two instances may differ. Tokens do not work beyond that either."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's limits."""

    check_min: timedelta
    """The least time between two checks of one job."""
    check_max: timedelta
    """The longest time between two checks of one job, unless GEM asks for more (`Retry-After`)."""
    job_deadline: timedelta
    """The time from the registration until the job is `expired`."""
    lost_after: timedelta
    """The time from the first 404 in a row until the job is `lost`."""
    repeat_ticket_after: timedelta
    """The time from a ticket that led to no delivery until the next ticket."""


def is_due(at: datetime, now: datetime, policy: Policy) -> bool:
    """Whether something that is stored as due at this time is due now.

    If a time is later than any rule here could set, a clock that ran ahead wrote it, or this clock
    was set back later. The job is due now: otherwise it would be idle for as long.
    """
    farthest = max(policy.check_max, policy.repeat_ticket_after, MAX_SWEEP_WAIT, MAX_RETRY_AFTER)
    return not now < at <= now + farthest + CLOCK_SKEW


def is_beyond_deadline(record: JobRecord, now: datetime, policy: Policy) -> bool:
    """Whether a job's deadline has passed, by this clock."""
    return now - record.registered_at >= policy.job_deadline


def settlement(
    record: JobRecord, now: datetime, policy: Policy, *, may_be_lost: bool = True
) -> Settlement | None:
    """Why to stop asking about a job; None to go on.

    A failed request says nothing about the job, so it settles one only as `expired`. `docs/gem.md`
    has the table.

    Args:
        record: the record after the last check.
        now: the time of the last check.
        policy: the operator's limits.
        may_be_lost: False while 404s may be due to a new identity (`store_claim`).

    """
    job, is_answered = record.job, not (record.failures or record.not_found)
    if is_answered and job and job.status and job.status.is_final:
        return Settlement(job.status)
    if (
        may_be_lost
        and not record.failures
        and record.not_found >= LOST_AFTER_ANSWERS
        and record.not_found_since
        and now - record.not_found_since >= policy.lost_after
        # Not if the last answer had a contract that this version does not know and cannot use.
        and (job is None or is_known(job))
    ):
        return Settlement.LOST
    return Settlement.EXPIRED if record.beyond_deadline >= EXPIRED_AFTER_ANSWERS else None


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
        record: the record after the last check.
        now: the time of the last check.
        policy: the operator's limits.
        jitter: from 0 (the wait is not shortened) up to 1 (it is shortened by `JITTER`).
        retry_after: the least wait that GEM asked for; it applies even above `check_max`.
        claimed: when the claim of the job's marker ends. If jitter could give this time too, it is
            returned, so that the marker need not be written again.
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
    """The wait without jitter and limits."""
    if record.failures:
        doubled: timedelta = policy.check_min * 2 ** min(record.failures - 1, 20)
        return doubled
    if record.not_found:
        return policy.lost_after / LOST_AFTER_ANSWERS
    by_age = (now - _status_began(record)) / AGE_DIVISOR
    end = expected_end(record, known)
    if end:
        return _wait_for_end(end, now, by_age)
    return max(by_age, learning_time(record, known))


def _wait_for_end(end: Expectation, now: datetime, by_age: timedelta) -> timedelta:
    """Wait until the job may have ended, then check often; check a late job less and less often."""
    if now < end.early:
        return min(end.early + NEAR_END_WAIT, max(end.late, end.early)) - now
    overdue = (now - end.late) / OVERDUE_DIVISOR
    return max(NEAR_END_WAIT, min(overdue, by_age))


def _status_began(record: JobRecord) -> datetime:
    """When the present status began, as exactly as is known."""
    job = record.job
    if job and job.status is JobStatus.RUNNING:
        return began_running(record)
    for change in record.history[1:]:
        if job and change.status == job.status_text:
            return change.at
    created = job.created_at if job else None
    return min(created, record.registered_at) if created else record.registered_at


def next_ticket(record: JobRecord, now: datetime, policy: Policy) -> datetime:
    """When to raise the ticket again if it leads to no delivery. The wait doubles up to an hour."""
    wait: timedelta = policy.repeat_ticket_after * 2 ** min(max(record.tickets - 1, 0), 20)
    return now + min(wait, max(MAX_SWEEP_WAIT, policy.repeat_ticket_after))
