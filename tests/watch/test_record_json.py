"""A stored record is read back unchanged; what an older or newer version wrote is read too."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import RecordUnreadable
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement
from gem_core.watch.record_json import record_from_bytes, record_to_bytes, record_to_json
from tests.builders import job, new_record
from tests.fakes import START
from tests.watch.records import LATER, LATEST, OPTIONAL, RECORDS


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
