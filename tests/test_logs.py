"""One line an event, JSON in the message, at the level that belongs to it, without secrets."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from gem_core.logs import Event, ThreadLines, log
from gem_core.moments import read_moment
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


pytestmark = pytest.mark.usefixtures("all_levels")


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


def test_where_an_error_came_from_is_added_on_demand(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ZeroDivisionError("text of a library")  # noqa: TRY301 - there must be one to log
    except ZeroDivisionError:
        log(Event.JOB_CHECK_CRASHED, traceback=True)
        log(Event.JOB_CHECK_CRASHED)
    with_it, without = logged(caplog)
    assert with_it["chain"].startswith("ZeroDivisionError (tests/test_logs.py:")
    assert "chain" not in without
    assert "text of a library" not in caplog.text


class TestLinesOfThreads:
    """The host drops what a thread of the app logs itself: it belongs to no invocation."""

    def test_the_calling_thread_logs_them_while_it_waits(self) -> None:
        seen: list[tuple[str, str]] = []
        may_end = threading.Event()

        class Keeper(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                seen.append((threading.current_thread().name, record.getMessage()))
                may_end.set()

        def work() -> bool:
            log(Event.JOB_CHECKED, job_run_id="job-1")
            return may_end.wait(60)  # until the line is in the log

        keeper, lines = Keeper(), ThreadLines()
        logging.getLogger("gem_core").addHandler(keeper)
        try:
            with ThreadPoolExecutor(1, initializer=lines.hand_over) as pool:
                work_of_pool = [pool.submit(work)]
                lines.log_until_done(work_of_pool)
        finally:
            logging.getLogger("gem_core").removeHandler(keeper)
        assert work_of_pool[0].result()
        ((thread, message),) = seen
        assert thread == threading.current_thread().name
        assert json.loads(message)["job_run_id"] == "job-1"

    def test_each_has_its_own_moment(self, caplog: pytest.LogCaptureFixture) -> None:
        lines = ThreadLines()
        before = datetime.now(UTC)
        with ThreadPoolExecutor(1, initializer=lines.hand_over) as pool:
            work = [pool.submit(log, Event.JOB_CHECKED, number=number) for number in range(3)]
            lines.log_until_done(work)
        told = logged(caplog)
        assert [line["number"] for line in told] == [0, 1, 2]
        moments = [read_moment(line["at"]) for line in told]
        in_order = [before, *moments, datetime.now(UTC)]
        assert in_order == sorted(in_order)
        log(Event.JOB_CHECKED)
        assert "at" not in logged(caplog)[-1]  # the log has the moment

    def test_the_chain_of_an_error_comes_along_from_a_thread(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        def work() -> float:
            try:
                return 1 / 0
            except ZeroDivisionError:
                log(Event.JOB_CHECK_CRASHED, traceback=True)
                raise

        lines = ThreadLines()
        with ThreadPoolExecutor(1, initializer=lines.hand_over) as pool:
            lines.log_until_done([pool.submit(work)])
        (line,) = logged(caplog)
        assert line["chain"].startswith("ZeroDivisionError (tests/test_logs.py:")
