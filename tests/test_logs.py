"""One line an event, JSON in the message, at the level that belongs to it, without secrets."""

import json
from datetime import UTC, datetime

import pytest

from gem_core.logs import Event, log
from gem_core.secret import Secret
from gem_core.watch.record import Settlement
from tests.builders import logged

LOUD = {
    "job_drifted",
    "job_changed_after_settlement",
    "record_unreadable",
    "job_check_crashed",
    "tick_stopped",
}


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gem_core")


def test_facts_are_json_in_the_message(caplog: pytest.LogCaptureFixture) -> None:
    log(
        Event.JOB_SETTLED,
        job_run_id="job-1",
        settlement=Settlement.LOST,
        at=datetime(2026, 1, 20, tzinfo=UTC),
        drift=("a %s", "b\nc"),
        progress=None,
    )
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    assert json.loads(record.getMessage()) == {
        "event": "job_settled",
        "job_run_id": "job-1",
        "settlement": "lost",
        "at": "2026-01-20T00:00:00+00:00",
        "drift": ["a %s", "b\nc"],
        "progress": None,
    }


@pytest.mark.parametrize("event", Event)
def test_what_a_person_must_see_is_an_error(event: Event, caplog: pytest.LogCaptureFixture) -> None:
    log(event)
    (line,) = logged(caplog)
    assert line["event"] == event
    if event in LOUD:
        assert line["level"] == "ERROR"


def test_a_secret_does_not_show(caplog: pytest.LogCaptureFixture) -> None:
    log(Event.TICK_STARTED, key=Secret("top-secret"), keys=[Secret("top-secret")])
    assert "top-secret" not in caplog.text
    assert logged(caplog)[0]["key"] == "***"


def test_a_traceback_is_added_on_demand(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ZeroDivisionError("x")  # noqa: TRY301 - there must be one to log
    except ZeroDivisionError:
        log(Event.JOB_CHECK_CRASHED, traceback=True)
        log(Event.JOB_CHECK_CRASHED)
    with_it, without = caplog.records
    assert with_it.exc_info
    assert not without.exc_info
