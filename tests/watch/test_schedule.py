"""When a job is checked next."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.gem.job import JobStatus
from gem_core.watch.durations import Durations, kind
from gem_core.watch.record import JobRecord, ProgressReading
from gem_core.watch.schedule import (
    JITTER,
    LOST_AFTER_ANSWERS,
    NEAR_END_WAIT,
    OVERDUE_DIVISOR,
    next_check,
)
from tests.builders import job, new_record, policy
from tests.fakes import START

POLICY = policy()
SECOND = timedelta(seconds=1)


def wait(record: JobRecord, after: timedelta, jitter: float = 0.0) -> timedelta:
    now = START + after
    return next_check(record, now, POLICY, jitter=jitter) - now


def running(after: timedelta, **fields: object) -> JobRecord:
    return new_record().answered(job(**fields), START + after)


@given(
    after=st.timedeltas(timedelta(0), timedelta(days=30)),
    progress=st.none() | st.floats(0, 100),
    created=st.sampled_from(
        ["2026-01-20T10:00:00Z", "1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"]
    ),
    status=st.sampled_from([*JobStatus, "odd"]),
    failures=st.integers(0, 10_000),
    not_found=st.integers(0, 10_000),
    jitter=st.floats(0, 1),
    retry_after=st.timedeltas(timedelta(0), timedelta(hours=1)),
)
def test_a_check_is_never_too_early_and_never_too_late(
    *,
    after: timedelta,
    progress: float | None,
    created: str,
    status: str,
    failures: int,
    not_found: int,
    jitter: float,
    retry_after: timedelta,
) -> None:
    now = START + after
    record = new_record().answered(job(status, progress=progress, createdAt=created), now)
    record = replace(record, failures=failures, not_found=not_found)
    at = next_check(record, now, POLICY, jitter=jitter, retry_after=retry_after)
    assert at >= now + POLICY.check_min * (1 - JITTER)
    assert at >= now + retry_after
    assert at <= now + max(POLICY.check_max, retry_after)


def test_jitter_also_applies_at_the_limits() -> None:
    day = timedelta(days=1)
    assert wait(running(day), day) == POLICY.check_max
    assert wait(running(day), day, jitter=1) == POLICY.check_max * (1 - JITTER)
    assert wait(running(SECOND), SECOND, jitter=1) == POLICY.check_min * (1 - JITTER)


def test_without_progress_the_wait_is_a_tenth_of_the_age() -> None:
    age = timedelta(minutes=50)
    assert wait(running(age), age) == age / 10
    assert wait(new_record().answered(job("queued"), START + age), age) == age / 10


def test_the_age_starts_at_gems_creation_time_unless_it_is_in_the_future() -> None:
    late = running(SECOND, createdAt="2026-01-20T09:10:00Z")
    assert wait(late, timedelta(0)) == timedelta(minutes=5)
    ahead = running(SECOND, createdAt="2026-01-20T11:00:00Z")
    assert wait(ahead, timedelta(minutes=50)) == timedelta(minutes=5)


def two(first: tuple[int, float], last: tuple[int, float]) -> JobRecord:
    """A running job with two reports of progress: (minutes after the start, percent)."""
    record = new_record()
    for minutes, percent in (first, last):
        record = record.answered(job(progress=percent), START + timedelta(minutes=minutes))
    return record


def test_a_newer_version_may_store_more_readings_of_the_progress() -> None:
    record = two((10, 0), (90, 80))
    first, last = record.progress
    between = ProgressReading(START + timedelta(minutes=50), 70)
    more = replace(record, progress=(first, between, last))
    assert wait(more, timedelta(minutes=90)) == wait(record, timedelta(minutes=90))
    same = replace(record, progress=(first, between, replace(first, at=last.at)))
    assert wait(same, timedelta(minutes=90)) > timedelta(0)


def test_with_progress_the_next_check_is_just_after_the_earliest_end() -> None:
    # 80 % in 80 minutes; it may be 81 by now, so 19 to 20 minutes are left.
    minute = timedelta(minutes=1)
    record = two((10, 0), (90, 80))
    wide = policy(check_max=timedelta(hours=1))
    now = START + timedelta(minutes=90)
    assert next_check(record, now, wide, jitter=0) == now + timedelta(minutes=20)
    # Still 80 %, 15 minutes later: the end is expected at the same time.
    assert next_check(record, now + 15 * minute, wide, jitter=0) == now + timedelta(minutes=20)


def test_the_time_in_the_queue_does_not_change_the_estimate() -> None:
    wide = policy(check_max=timedelta(hours=1))
    waits = []
    for queued in (0, 300):
        record = two((queued + 1, 5), (queued + 10, 50))
        now = START + timedelta(minutes=queued + 10)
        waits.append(next_check(record, now, wide, jitter=0) - now)
    assert waits == [timedelta(minutes=10)] * 2


def test_after_the_first_progress_the_next_check_is_soon() -> None:
    # 20 % in 10 minutes is 50 minutes in all; the wait is a tenth of that.
    age = timedelta(minutes=10)
    assert wait(running(age, progress=20), age) == timedelta(minutes=5)


def test_checks_are_frequent_near_the_end_and_then_less_and_less_frequent() -> None:
    record = two((0, 0), (100, 99))
    early = START + timedelta(minutes=100)
    late = early + timedelta(minutes=100) / 99
    far = policy(check_max=timedelta(days=9))
    assert next_check(record, early, far, jitter=0) - early == NEAR_END_WAIT
    assert next_check(record, late, far, jitter=0) - late == NEAR_END_WAIT
    for hours in (1, 2, 8, 100):
        now = late + timedelta(hours=hours)
        waited = next_check(record, now, far, jitter=0) - now
        assert waited == min(timedelta(hours=hours) / OVERDUE_DIVISOR, (now - START) / 10)


def test_without_progress_earlier_jobs_give_the_expected_end() -> None:
    known = Durations({kind(job()) or "": (3000.0,) * 20})
    hour = policy(check_max=timedelta(hours=5))
    record = new_record().answered(job("queued"), START)
    begun = START + timedelta(minutes=30)
    record = record.answered(job(), begun)
    at = next_check(record, begun, hour, jitter=0, known=known)
    assert timedelta(seconds=3000 * 0.95) < at - begun < timedelta(seconds=3000)
    at = next_check(record, begun + timedelta(minutes=50), hour, jitter=0, known=known)
    assert at == begun + timedelta(minutes=50) + NEAR_END_WAIT


def test_a_queued_job_is_checked_after_a_tenth_of_its_expected_time() -> None:
    known = Durations({kind(job()) or "": (6000.0,) * 20})
    record = new_record().answered(job("queued"), START)
    at = next_check(record, START, POLICY, jitter=0, known=known)
    assert timedelta(seconds=570) < at - START < POLICY.check_max


def test_earlier_jobs_that_differ_too_much_are_not_used() -> None:
    known = Durations({kind(job()) or "": (1000.0, 2001.0)})
    record = running(timedelta(minutes=50))
    now = START + timedelta(minutes=50)
    assert next_check(record, now, POLICY, jitter=0, known=known) - now == timedelta(minutes=5)


def test_no_wait_is_longer_than_the_deadline() -> None:
    now = START + POLICY.job_deadline - timedelta(minutes=2)
    record = running(now - START)
    assert next_check(record, now, POLICY, jitter=0) == START + POLICY.job_deadline
    late = START + POLICY.job_deadline
    assert next_check(record, late, POLICY, jitter=0) == late + POLICY.check_max


@given(
    marks=st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 100)), max_size=4),
    seconds=st.lists(st.floats(1, 1e6), max_size=25),
    status=st.sampled_from(list(JobStatus)),
    overdue=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
)
def test_a_wrong_expectation_costs_a_bounded_delay(
    *,
    marks: list[tuple[int, float]],
    seconds: list[float],
    status: JobStatus,
    overdue: float,
    jitter: float,
) -> None:
    """With any progress and any earlier jobs, waits stay within their limits and differ."""
    record = new_record()
    now = START
    for after, percent in marks:
        now = max(now, START + timedelta(seconds=after))
        record = record.answered(job(status, progress=percent), now)
    record = record.answered(job(status, progress=None if overdue > 5e5 else 50), now)
    now += timedelta(seconds=overdue)
    known = Durations({kind(job()) or "": tuple(seconds)})
    least = next_check(record, now, POLICY, jitter=1, known=known)
    most = next_check(record, now, POLICY, jitter=0, known=known)
    at = next_check(record, now, POLICY, jitter=jitter, known=known)
    assert now + POLICY.check_min * (1 - JITTER) <= least <= at <= most <= now + POLICY.check_max
    assert (most - least) / (most - now) == pytest.approx(JITTER)


@given(
    ended=st.integers(60, 500_000),
    asked=st.integers(0, 500_000),
    jitter=st.floats(0, 1),
)
def test_the_end_of_the_claim_is_used_only_if_jitter_could_give_it(
    *, ended: int, asked: int, jitter: float
) -> None:
    now = START + timedelta(seconds=asked)
    claimed = now + timedelta(seconds=ended)
    record = running(timedelta(0))
    at = next_check(record, now, POLICY, jitter=jitter, claimed=claimed)
    most = next_check(record, now, POLICY, jitter=0)
    assert at <= most
    assert at == claimed or at == next_check(record, now, POLICY, jitter=jitter)
    if claimed > most or claimed < next_check(record, now, POLICY, jitter=1):
        assert at == next_check(record, now, POLICY, jitter=jitter)


def test_the_end_of_the_claim_is_not_used_if_gem_asked_for_a_longer_wait() -> None:
    record = running(timedelta(hours=1))
    now = START + timedelta(hours=1)
    asked = timedelta(hours=1)
    claimed = now + timedelta(minutes=6)
    at = next_check(record, now, POLICY, jitter=0, retry_after=asked, claimed=claimed)
    assert at == now + asked


@pytest.mark.parametrize("progress", [0, None, "65%"])
def test_with_unusable_progress_the_age_decides(progress: object) -> None:
    age = timedelta(minutes=60)
    assert wait(running(age, progress=progress), age) == timedelta(minutes=6)


@pytest.mark.parametrize("progress", [1e-12, 5e-324])
def test_with_tiny_progress_the_wait_keeps_its_limit(progress: float) -> None:
    age = timedelta(days=1)
    assert wait(running(age, progress=progress), age) == POLICY.check_max


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 480), (6, 600), (10_000, 600)]
)
def test_failed_requests_double_the_wait(failures: int, seconds: int) -> None:
    record = replace(running(SECOND, progress=50), failures=failures)
    assert wait(record, timedelta(days=1)) == timedelta(seconds=seconds)


def test_retry_after_is_the_least_wait() -> None:
    record = new_record().not_answered("GEM answered 429", START)
    asked = timedelta(minutes=45)
    assert next_check(record, START, POLICY, jitter=1, retry_after=asked) == START + asked


def test_a_job_that_is_not_found_is_checked_often_enough_to_be_lost_in_time() -> None:
    hour = policy(check_max=timedelta(hours=5))
    record = new_record().answered_not_found(START)
    for jitter in (0.0, 1.0):
        at = next_check(record, START, hour, jitter=jitter)
        assert at - START <= hour.lost_after / LOST_AFTER_ANSWERS
