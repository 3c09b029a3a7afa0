"""Each change makes a new record, and a stored record is read back unchanged."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.outcome import Outcome
from gem_core.watch.attempts import Attempts
from gem_core.watch.record import (
    MAX_HISTORY,
    NOT_FOUND,
    ProgressReading,
    Settlement,
    Stage,
    StatusChange,
)
from gem_core.watch.record_json import record_from_bytes, record_to_bytes, record_to_json
from tests.builders import job, new_record
from tests.fakes import START
from tests.watch.records import LATER, LATEST


def test_an_answer_is_stored_and_resets_the_problems() -> None:
    troubled = replace(
        new_record(),
        failures=3,
        last_problem="x",
        not_found=2,
        not_found_since=START,
        times_checked=5,
    )
    answered = troubled.answered(job("running"), LATER)
    assert answered.job == job("running")
    assert answered.history == (StatusChange(LATER, "running"),)
    assert (answered.times_checked, answered.checked_at) == (6, LATER)
    assert (answered.failures, answered.last_problem) == (0, None)
    assert (answered.not_found, answered.not_found_since) == (0, None)


def test_a_404_is_counted_from_the_first_one() -> None:
    answered = replace(new_record(), failures=2).answered(job("running"), START)
    first = answered.answered_not_found(LATER)
    second = first.answered_not_found(LATEST)
    assert (second.not_found, second.not_found_since) == (2, LATER)
    assert second.failures == 0
    assert second.job == answered.job
    assert [seen.status for seen in second.history] == ["running", NOT_FOUND]
    assert second.last_problem
    assert "404" in second.last_problem


def test_a_failed_request_does_not_change_what_is_known_about_the_job() -> None:
    answered = new_record().answered(job("running"), START).answered_not_found(LATER)
    failed = answered.not_answered("GEM answered 500", LATEST)
    assert failed.failures == 1
    assert failed.last_problem == "GEM answered 500"
    assert failed.times_checked == answered.times_checked + 1
    assert failed.checked_at == LATEST
    same = replace(failed, failures=0, last_problem=answered.last_problem)
    assert (
        replace(same, times_checked=answered.times_checked, checked_at=answered.checked_at)
        == answered
    )


def test_the_history_has_each_change_once() -> None:
    record = new_record()
    for status in ("queued", "queued", "running", "running", "queued", "odd"):
        record = record.answered(job(status), LATER)
    assert [seen.status for seen in record.history] == ["queued", "running", "queued", "odd"]


def test_a_long_history_keeps_its_first_and_latest_entries() -> None:
    record = new_record()
    for number in range(MAX_HISTORY * 3):
        record = record.answered(job(f"s{number}"), LATER)
    words = [seen.status for seen in record.history]
    assert len(words) == MAX_HISTORY
    assert words[: MAX_HISTORY // 2] == [f"s{number}" for number in range(MAX_HISTORY // 2)]
    assert words[-1] == f"s{MAX_HISTORY * 3 - 1}"
    assert len(set(words)) == MAX_HISTORY


def test_a_settled_job_is_delivered_and_can_be_delivered_again() -> None:
    settled = new_record().settled(Settlement.FAILED, LATER).ticket_raised().due(LATEST)
    assert settled.stage is Stage.SETTLED
    assert (settled.settlement, settled.settled_at) == (Settlement.FAILED, LATER)
    assert (settled.tickets, settled.due_at) == (1, LATEST)
    delivered = settled.delivered(Outcome.FAILED, "id", LATEST)
    assert delivered.stage is Stage.DELIVERED
    assert (delivered.outcome, delivered.manifest_id) == (Outcome.FAILED, "id")
    assert delivered.delivered_at == LATEST
    again = delivered.to_redeliver(LATEST)
    assert (again.stage, again.tickets, again.due_at) == (Stage.SETTLED, 0, LATEST)
    assert (again.settlement, again.settled_at) == (Settlement.FAILED, LATER)


def test_attempts_of_an_earlier_delivery_are_dropped() -> None:
    """An older version stores them again with a redelivery, since it does not know them."""
    settled = new_record().settled(Settlement.FINISHED, START)
    record = settled.with_attempts(Attempts().audit_begun("E1"))
    held = record_to_json(record)
    assert held["attempts"]["begun"] == 1
    held["redeliveredAt"] = LATER.isoformat()
    assert record_from_bytes(json.dumps(held).encode()).attempts == Attempts()


def test_the_first_and_the_present_progress_are_stored() -> None:
    record = new_record()
    reported = [None, 5, 5, 7, 7.5, 7.5]
    for minute, percent in enumerate(reported):
        record = record.answered(job(progress=percent), START + timedelta(minutes=minute))
    first, last = (
        ProgressReading(START + timedelta(minutes=1), 5),
        ProgressReading(START + timedelta(minutes=4), 7.5),
    )
    assert record.progress == (first, last)
    assert record_from_bytes(record_to_bytes(record)) == record


@pytest.mark.parametrize(("percent", "kept"), [(3, [3]), (None, []), (5, [5])])
def test_progress_that_goes_back_starts_again(percent: float | None, kept: list[float]) -> None:
    record = new_record().answered(job(progress=5), START).answered(job(progress=7), START)
    record = record.answered(job(progress=percent), START)
    assert [seen.percent for seen in record.progress] == kept
