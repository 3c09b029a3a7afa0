"""Batches: their size, when they run, and their message."""

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import RecordUnreadable
from gem_core.settings.app_settings import MAX_BATCH_SIZE
from gem_core.watch.batch import (
    BATCH_TIME,
    BATCHES_PER_LEASE,
    CLAIM_TIME,
    Batch,
    BatchPlan,
    batch_from_json,
    plan_batches,
)
from gem_core.watch.marker import OpenJob
from tests.fakes import START


@pytest.mark.parametrize(
    ("size", "per_second", "planned"),
    [
        (100, 10, BatchPlan(100, 6)),
        (100, 100, BatchPlan(100, 60)),
        (200, 1, BatchPlan(60, 1)),
        (50, 0.1, BatchPlan(6, 1)),
        (50, 0.001, BatchPlan(1, 1)),
        (1, 0.5, BatchPlan(1, 30)),
    ],
)
def test_a_batch_is_as_large_as_the_rate_allows(
    size: int, per_second: float, planned: BatchPlan
) -> None:
    assert plan_batches(size, per_second) == planned


@given(st.integers(1, MAX_BATCH_SIZE), st.floats(1 / 60, 1e6))
def test_a_batch_fits_its_time_and_the_whole_rate_is_used(size: int, per_second: float) -> None:
    made = plan_batches(size, per_second)
    seconds = made.size / (per_second / made.concurrency)
    assert seconds <= BATCH_TIME.total_seconds() + 1e-6
    assert made.size * made.concurrency >= per_second * BATCH_TIME.total_seconds() / 2


@given(st.integers(1, MAX_BATCH_SIZE), st.floats(1e-3, 1e4))
def test_no_more_batches_become_visible_than_may_run(size: int, per_second: float) -> None:
    made = plan_batches(size, per_second)
    delays = [made.delay(place) for place in range(min(made.max_waiting, 500))]
    assert delays == sorted(delays)
    assert all(delays.count(delay) <= made.concurrency for delay in set(delays))
    # The last batch on the queue runs well before its jobs are due again.
    assert made.delay(made.max_waiting - 1) + BATCH_TIME * 2 < CLAIM_TIME
    assert BATCHES_PER_LEASE > 1


def test_the_largest_batch_fits_into_a_message() -> None:
    job = OpenJob("j" * 128, START, START + timedelta(microseconds=1), "0x8DE2C3D4E5F60718")
    text = Batch(START, (job,) * MAX_BATCH_SIZE).to_json()
    assert len(base64.b64encode(text.encode())) <= 64 * 1024


def test_a_message_is_read_back() -> None:
    until = START + CLAIM_TIME
    jobs = (OpenJob("job-1", until, START, "0x1"), OpenJob("job-2", until, START, "0x2"))
    batch = Batch(until, jobs)
    assert batch_from_json(batch.to_json().encode()) == batch


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"until": 1, "jobs": []}',
        '{"until": "2026-01-20T10:00:00", "jobs": []}',
        '{"until": "2026-01-20T10:00:00Z", "jobs": [["a", "b", "c"]]}',
        '{"until": "2026-01-20T10:00:00Z", "jobs": [{"jobRunId": "a", "etag": "b"}]}',
        '{"until": "2026-01-20T10:00:00Z", "jobs": 3}',
        '{"until": "9999-12-31T23:59:59-14:00", "jobs": []}',
        '{"until": "2026-01-20T10:00:00Z", "jobs": ' + "[" * 100_000,
        "\xff",
    ],
)
def test_any_other_text_is_not_a_batch(text: str) -> None:
    with pytest.raises(RecordUnreadable, match="not a batch"):
        batch_from_json(text.encode("latin-1"))
