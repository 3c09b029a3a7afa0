"""Each change makes a new record, and a stored record is read back unchanged."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import RecordUnreadable
from gem_core.gem.contracts.known import read_stored
from gem_core.gem.job import GemJob
from gem_core.moments import LAST_YEAR
from gem_core.outcome import Outcome
from gem_core.watch.attempts import Attempts, Postponement
from gem_core.watch.record import (
    MAX_HISTORY,
    NOT_FOUND,
    JobRecord,
    ProgressReading,
    Settlement,
    Stage,
    StatusChange,
)
from gem_core.watch.record_json import record_from_bytes, record_to_bytes, record_to_json
from tests.builders import job, new_record
from tests.fakes import START

LATER = START + timedelta(minutes=5)
OPTIONAL = {"sentTo", "attempts", "beyondDeadline", "contract", "discovered"}
"""Members that a record may lack."""
LATEST = START + timedelta(minutes=9)


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


def test_from_settled_to_delivered_and_again() -> None:
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


def _of_tomorrow(answer: dict[str, str]) -> GemJob:
    return read_stored(answer, job_run_id=new_record().job_run_id, contract="of-tomorrow")


_MOMENTS = st.datetimes(
    max_value=datetime(LAST_YEAR + 1, 1, 1) - timedelta(microseconds=1),  # noqa: DTZ001 - as `datetimes` wants it
    timezones=st.just(UTC),
)
_COUNTS = st.integers(0, 10**6)
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
_JOBS = st.builds(
    job,
    st.sampled_from(["queued", "running", "finished", "odd ✓"]),
    progress=st.none() | st.integers(0, 100) | st.just("65%"),
    region=_TEXTS,
)
ATTEMPTS = st.builds(
    Attempts,
    etag=_TEXTS,
    begun=_COUNTS,
    waits=st.dictionaries(_TEXTS, _MOMENTS, max_size=2),
    postponement=st.none()
    | st.builds(
        Postponement,
        since=_MOMENTS,
        times=_COUNTS,
        reason=_TEXTS,
        until=_MOMENTS,
        ends=st.none() | _MOMENTS,
    ),
)
RECORDS = st.builds(
    JobRecord,
    job_run_id=st.just(new_record().job_run_id),
    registered_at=_MOMENTS,
    due_at=_MOMENTS,
    stage=st.sampled_from(Stage),
    labels=st.dictionaries(_TEXTS, _TEXTS, max_size=3),
    expected_input_name=st.none() | _TEXTS,
    times_checked=_COUNTS,
    checked_at=st.none() | _MOMENTS,
    failures=_COUNTS,
    last_problem=st.none() | _TEXTS,
    not_found=_COUNTS,
    not_found_since=st.none() | _MOMENTS,
    job=st.none() | _JOBS | st.builds(_of_tomorrow, st.dictionaries(_TEXTS, _TEXTS, max_size=3)),
    history=st.lists(st.builds(StatusChange, _MOMENTS, _TEXTS), max_size=3).map(tuple),
    settlement=st.none() | st.sampled_from(Settlement),
    settled_at=st.none() | _MOMENTS,
    tickets=_COUNTS,
    attempts=ATTEMPTS,
    outcome=st.none() | st.sampled_from(Outcome),
    manifest_id=st.none() | _TEXTS,
    delivered_at=st.none() | _MOMENTS,
    redelivered_at=st.none() | _MOMENTS,
    extra=st.dictionaries(_TEXTS.map("later {}".format), st.none() | _TEXTS, max_size=2),
)


@given(RECORDS)
def test_a_record_is_read_back_unchanged(record: JobRecord) -> None:
    assert record_from_bytes(record_to_bytes(record)) == record


def test_a_lone_surrogate_of_gem_can_be_stored() -> None:
    # "\\ud800" is what JSON (RFC 8259, 8.2) cannot forbid, and json.loads returns it.
    record = new_record().answered(job("running", region=json.loads('"\\ud800"')), START)
    assert record_from_bytes(record_to_bytes(record)).job == record.job


def test_an_infinity_of_gem_is_stored_as_json() -> None:
    # 1e400 is JSON; Python reads it as an infinity and would write a word that is not JSON.
    record = new_record().answered(job("running", cost=json.loads("1e400")), START)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    json.loads(record_to_bytes(record), parse_constant=refuse)


def test_a_stored_answer_without_a_contract_has_the_default_contract() -> None:
    """An older version stored it, which had only this contract."""
    record = new_record().answered(job("running"), START)
    held = record_to_json(record)
    assert held.pop("contract") == "x-version-1"
    assert record_from_bytes(json.dumps(held).encode()) == record


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


def _with(**changes: object) -> bytes:
    return json.dumps(record_to_json(new_record()) | changes).encode()


def _without(name: str) -> bytes:
    held = record_to_json(new_record())
    del held[name]
    return json.dumps(held).encode()


def test_a_record_that_is_nested_too_deep_is_unreadable() -> None:
    with pytest.raises(RecordUnreadable, match="not a job record"):
        record_from_bytes(b"[" * 100_000)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        _with(dueAt=None),
        _with(dueAt="soon"),
        _with(dueAt=5),
        _with(history=[{}]),
        _with(history=3),
        _with(lastAnswer=[]),
        _with(lastAnswer={"jobRunId": "another", "status": "running"}),
        _with(lastAnswer=[], contract="of-tomorrow"),
        _with(lastAnswer={}, contract=7),
        _with(lastAnswer={}, contract=["x-version-1"]),
        _with(progress=[{"at": "2026-01-20T10:00:00+00:00"}]),
        _with(progress=[{"at": "2026-01-20T10:00:00+00:00", "percent": "half"}]),
        _with(progress=[{"at": "2026-01-20T10:00:00+00:00", "percent": 10**400}]),
        _with(attempts=3),
        _with(attempts={}),
        _with(attempts={"redeliveredAt": None, "waits": {"checks": "soon"}}),
        _with(settledAt="0001-01-01T00:00:00+14:00"),
        *(_without(name) for name in record_to_json(new_record()) if name not in OPTIONAL),
    ],
    ids=str,
)
def test_what_is_not_a_record_is_unreadable(body: bytes) -> None:
    with pytest.raises(RecordUnreadable, match="not a job record") as caught:
        record_from_bytes(body)
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_a_record_of_another_schema_version_is_not_read(version: object) -> None:
    with pytest.raises(RecordUnreadable, match=r"schema version .*, this app knows 1"):
        record_from_bytes(_with(schemaVersion=version, stage="of the future"))


@pytest.mark.parametrize(
    ("name", "word"), [("stage", "archived"), ("settlement", "gone"), ("outcome", "fine")]
)
def test_a_record_with_a_value_of_a_newer_version_is_not_read(name: str, word: str) -> None:
    with pytest.raises(RecordUnreadable, match=f"{name} '{word}' is not known to this app"):
        record_from_bytes(_with(**{name: word}))


def test_a_member_that_a_newer_version_added_is_kept_through_every_change() -> None:
    stored = record_from_bytes(_with(priority={"level": 3}, note=None))
    changed = [
        stored.answered(job(), LATER),
        stored.answered_not_found(LATER),
        stored.not_answered("503", LATER),
        stored.settled(Settlement.FAILED, LATER).ticket_raised(),
        stored.delivered(Outcome.FAILED, "id", LATER).to_redeliver(LATEST),
    ]
    for record in (stored, *changed):
        held = record_to_json(record_from_bytes(record_to_bytes(record)))
        assert (held["priority"], held["note"]) == ({"level": 3}, None)


def test_an_added_member_never_replaces_one_that_is_known() -> None:
    record = replace(new_record(), extra={"stage": "archived", "jobRunId": "another"})
    assert record_from_bytes(record_to_bytes(record)) == new_record()


_NAMES = sorted(record_to_json(new_record()))


@given(st.sampled_from(_NAMES), st.none() | st.text() | st.integers() | st.lists(st.text()))
def test_any_stored_bytes_are_a_record_or_unreadable(name: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    with suppress(RecordUnreadable):
        record_from_bytes(_with(**{name: value}))
