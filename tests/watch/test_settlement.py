"""When a job is settled, and when its ticket is raised again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.watch.record import Settlement
from gem_core.watch.schedule import (
    EXPIRED_AFTER_ANSWERS,
    LOST_AFTER_ANSWERS,
    MAX_SWEEP_WAIT,
    is_beyond_deadline,
    next_ticket,
    settlement,
)
from tests.builders import job, new_record, policy
from tests.fakes import START

POLICY = policy()
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("finished", Settlement.FINISHED),
        ("failed", Settlement.FAILED),
        ("cancelled", Settlement.CANCELLED),
        ("running", None),
        ("queued", None),
        ("complete", None),
        ("Finished", None),
    ],
)
def test_only_a_documented_final_status_ends_a_job(status: str, ended: Settlement | None) -> None:
    record = new_record().answered(job(status), START)
    assert settlement(record, START, POLICY) is ended


@pytest.mark.parametrize(
    ("answers", "after", "ended"),
    [
        (LOST_AFTER_ANSWERS, POLICY.lost_after, Settlement.LOST),
        (LOST_AFTER_ANSWERS - 1, POLICY.lost_after * 9, None),
        (LOST_AFTER_ANSWERS, POLICY.lost_after - SECOND, None),
        (500, POLICY.lost_after - SECOND, None),
    ],
)
def test_a_lost_job_needs_both_answers_and_time(
    answers: int, after: timedelta, ended: Settlement | None
) -> None:
    record = new_record()
    for _ in range(answers):
        record = record.answered_not_found(START)
    assert settlement(record, START + after, POLICY) is ended


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=1)])
def test_a_first_404_in_the_future_counts_from_now_on(ahead: timedelta) -> None:
    """The clock was set back: the job is neither lost at once nor idle until the time comes."""
    record = new_record().answered_not_found(START + ahead)
    for _ in range(LOST_AFTER_ANSWERS):
        record = record.answered_not_found(START)
    assert settlement(record, START, POLICY) is None
    assert settlement(record, START + POLICY.lost_after - SECOND, POLICY) is None
    assert settlement(record, START + POLICY.lost_after, POLICY) is Settlement.LOST


def test_an_answer_with_the_job_resets_the_count_of_404s() -> None:
    record = new_record()
    for _ in range(9):
        record = record.answered_not_found(START)
    late = START + POLICY.lost_after * 2
    record = record.answered(job("running"), late).answered_not_found(late)
    assert settlement(record, late, POLICY) is None


def test_a_final_status_before_a_404_does_not_settle_the_job() -> None:
    # That answer would have settled the job at its time; after a 404 it is out of date.
    record = new_record().answered(job("finished"), START).answered_not_found(START)
    assert settlement(record, START, POLICY) is None


def test_a_job_expires_at_the_third_answer_in_a_row_after_its_deadline() -> None:
    record, late = new_record(), START + POLICY.job_deadline
    assert not is_beyond_deadline(record, late - SECOND, POLICY)
    assert is_beyond_deadline(record, late, POLICY)
    for number in range(EXPIRED_AFTER_ANSWERS):
        assert settlement(record, late, POLICY) is None
        if number == 1:
            record = record.answered_not_found(late, is_beyond_deadline=True)
        else:
            record = record.answered(job("running"), late, is_beyond_deadline=True)
    assert settlement(record, late, POLICY) is Settlement.EXPIRED
    finished = record.answered(job("finished"), late, is_beyond_deadline=True)
    assert settlement(finished, late, POLICY) is Settlement.FINISHED
    before = record.answered(job("running"), START)
    assert settlement(before, late, POLICY) is None


@pytest.mark.parametrize(
    ("tickets", "minutes"), [(0, 15), (1, 15), (2, 30), (3, 60), (4, 60), (10_000, 60)]
)
def test_the_wait_for_the_next_ticket_doubles_up_to_an_hour(tickets: int, minutes: int) -> None:
    record = replace(new_record(), tickets=tickets)
    assert next_ticket(record, START, POLICY) == START + timedelta(minutes=minutes)


def test_a_configured_wait_longer_than_an_hour_is_used() -> None:
    long = policy(repeat_ticket_after=MAX_SWEEP_WAIT * 3)
    record = replace(new_record(), tickets=5)
    assert next_ticket(record, START, long) == START + MAX_SWEEP_WAIT * 3
