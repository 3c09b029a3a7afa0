"""Alerts and workbook over what the app really logs: they speak when they must, and only then.

KQL is run by duckdb-kql, on DuckDB; Azure's own engine could differ. A log line reaches the table
as the Functions host passes it on: the message, and a traceback behind a line break.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gem_core.errors import (
    GemAccessError,
    GemWithoutToken,
    OutputUnreachable,
    OutputWithoutToken,
)
from gem_core.flows.check_jobs import REQUEST_BUDGET, check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job, redeliver_job
from gem_core.flows.timer_status import timer_status
from gem_core.gem.job import IMPOSSIBLE_JOB
from gem_core.logs import Event, log
from gem_core.watch.attempts import TROUBLE_AFTER
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, answer, finished, matched_file
from tests.fakes import FakePoison
from tests.infra.asked import LONGEST, QUERIES, WINDOWS, Line, Run, ask

OF_THE_WORKBOOK = sorted(set(QUERIES) - set(WINDOWS))
MINUTE = timedelta(minutes=1)


class Life:
    """A world whose log lines are kept with the world's time, and asked by KQL."""

    def __init__(self, handler: "_Keeper") -> None:
        self.world = World()
        self.lines = handler.lines
        self.requests: list[Run] = []
        self.operations: list[Line] = []
        """What the workspace writes about itself."""
        handler.clock = self.world.clock

    def tick(self) -> None:
        """A tick, as the timer runs it each minute."""
        self.world.clock.move(MINUTE)
        with suppress(GemAccessError):
            check_jobs(self.world.checker)

    def ticks(self, minutes: float) -> None:
        for _ in range(int(minutes)):
            self.tick()

    def ask(self, name: str, *, query: str = "") -> list[Any]:
        """The rows that a query gives now, over the time window of its alert."""
        return ask(
            name,
            self.lines,
            self.requests,
            now=self.world.clock.now,
            operations=self.operations,
            query=query,
        )

    def fires(self) -> set[str]:
        """The alerts that would fire now."""
        return {name for name in WINDOWS if self.ask(name)}


class _Keeper(logging.Handler):
    clock: Callable[[], datetime]

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((self.clock(), self.format(record)))


@pytest.fixture
def life() -> Iterator[Life]:
    with _kept() as handler:
        yield Life(handler)


@contextmanager
def _kept() -> Iterator[_Keeper]:
    handler, logger = _Keeper(), logging.getLogger("gem_core")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def deliver(life: Life) -> None:
    for job_run_id in life.world.new_tickets():
        deliver_results(life.world.deliverer, job_run_id)


def finish(life: Life) -> None:
    """A job runs, finishes, and its ticket is raised."""
    life.world.files.write(OUTPUT, matched_file())
    life.world.gem.answers[JOB] = [answer("running"), finished()]
    life.world.add(JOB)
    while not life.world.tickets.names():
        life.tick()


def finish_again(life: Life) -> None:
    """A job that GEM has not answered about is finished, and delivered."""
    life.world.files.write(OUTPUT, matched_file())
    life.world.gem.answers[JOB] = [finished()]
    for _ in range(15):
        life.tick()
        deliver(life)


def test_nothing_fires_in_an_ordinary_life(life: Life) -> None:
    finish(life)
    deliver(life)
    life.ticks(20)
    assert life.fires() == set()


def test_a_silent_timer(life: Life) -> None:
    life.ticks(5)
    life.world.clock.move(minutes=16)
    assert life.fires() == {"no-successful-tick"}


def test_gem_that_refuses(life: Life) -> None:
    life.world.add(JOB)
    life.world.gem.answers[JOB] = [GemAccessError("the key is refused")]
    life.ticks(20)
    assert life.fires() == {"no-successful-tick", "gem-refuses"}
    life.world.gem.answers[JOB] = [answer("running")]
    life.ticks(20)
    assert life.fires() == set()


class TestNoToken:
    """The identity endpoint fails; what it may answer is in tests/storage/test_identity.py."""

    def without(self, life: Life, minutes: float) -> None:
        """Ticks without a token for GEM."""
        for job_run_id in (JOB, IMPOSSIBLE_JOB):
            error = GemWithoutToken("no token (X): this usually passes")
            life.world.gem.answers[job_run_id] = [error]
        life.ticks(minutes)
        life.world.gem.answers[JOB] = [answer("running")]

    def test_for_gem_for_a_minute(self, life: Life) -> None:
        life.world.gem.answers[JOB] = [answer("running")]
        life.world.add(JOB)
        life.ticks(20)
        self.without(life, 2)
        for _ in range(3):
            assert not life.ask("gem-not-answering")
            life.ticks(31)
        assert life.fires() == set()

    def test_for_gem_for_a_day(self, life: Life) -> None:
        """The deadline passes meanwhile, and nothing is concluded."""
        life.world.policy = replace(life.world.policy, job_deadline=timedelta(hours=6))
        life.world.add(JOB)
        self.without(life, 40)
        assert life.fires() == {"gem-not-answering"}
        self.without(life, 23 * 60)
        assert life.fires() == {"gem-not-answering"}
        assert timer_status(life.world.manager)[1]["status"] == "failing"
        assert (life.world.record().stage, life.world.record().last_problem) == (
            Stage.WATCHING,
            "no token (X): this usually passes",
        )
        finish_again(life)
        life.ticks(70)
        assert life.fires() == set()
        assert life.world.record().outcome == "valid"

    def test_for_our_storage_for_a_day(self, life: Life) -> None:
        """Nothing can be read, so no tick ends, and each run of it fails."""
        finish(life)
        for _ in range(24 * 60):
            life.world.clock.move(MINUTE)
            life.requests.append((life.world.clock(), "check_jobs", False))
        assert life.fires() == {"no-successful-tick", "function-failures", "manifests-waiting"}
        deliver(life)
        life.ticks(1)
        life.requests.append((life.world.clock(), "check_jobs", True))
        life.ticks(70)
        assert life.fires() == set()


def test_a_dead_timer_and_a_scheduler_outside(life: Life) -> None:
    """It rings until somebody ticks by `POST /api/tick`, and not for a day of such ticks."""
    life.ticks(5)
    life.world.clock.move(minutes=16)
    assert life.fires() == {"no-successful-tick"}
    life.world.add(JOB)
    finish_again(life)
    for minute in range(24 * 60):
        life.world.clock.move(MINUTE)
        check_jobs(life.world.checker, budget=REQUEST_BUDGET)
        deliver(life)
        if minute % 600 == 0:
            assert life.fires() == set()
    assert timer_status(life.world.manager)[1]["status"] == "ok"
    assert life.world.record().outcome == "valid"


class TestFailedRuns:
    """The platform ends instances amid a run; the run is then repeated."""

    def ran(self, life: Life, runs: str, *, function: str = "check_jobs") -> None:
        """Runs of a function, one a minute: + succeeded, - failed."""
        for run in runs:
            life.tick()
            life.requests.append((life.world.clock(), function, run == "+"))

    def test_one_before_a_success_is_routine(self, life: Life) -> None:
        self.ran(life, "+--+")
        life.ticks(20)
        assert life.fires() == set()

    def test_those_that_repeat(self, life: Life) -> None:
        self.ran(life, "-+-+-+")
        assert life.fires() == {"function-failures"}
        life.ticks(60)
        assert life.fires() == set()

    def test_one_after_which_nothing_has_succeeded(self, life: Life) -> None:
        self.ran(life, "+-", function="deliver_results")
        self.ran(life, "++")
        life.ticks(10)
        assert life.fires() == set(), "the next run may still come"
        life.ticks(10)
        assert life.fires() == {"function-failures"}
        self.ran(life, "+", function="deliver_results")
        assert life.fires() == set()

    def test_not_those_of_http_routes(self, life: Life) -> None:
        self.ran(life, "---", function="status")
        life.ticks(20)
        assert life.fires() == set()


def test_a_quota_that_blinds_the_other_alerts(life: Life) -> None:
    """Azure's own line; its words are those of the documentation of the daily cap."""
    life.ticks(5)
    detail = "The data volume threshold was reached. Ingestion status = OverQuota"
    life.operations = [(life.world.clock(), detail)]
    life.world.clock.move(minutes=16)
    assert life.fires() == {"log-quota-reached", "no-successful-tick"}


def test_messages_that_failed_too_often(life: Life) -> None:
    poison = FakePoison()
    poison.put("one")
    poison.put("two")
    life.world.poison = (FakePoison(), poison)
    life.ticks(3)
    assert life.fires() == {"poison-queue"}
    life.world.poison = (FakePoison(),)
    life.ticks(20)
    assert life.fires() == set()


def test_a_failed_message_that_azure_will_delete_soon(life: Life) -> None:
    poison = FakePoison(clock=life.world.clock)
    life.world.poison = (FakePoison(), poison)
    poison.put("old")
    for day in range(7):
        life.ticks(1)
        life.world.clock.move(days=1)
        poison.put("new")
        life.ticks(10)
        assert ("poison-expiring" in life.fires()) == (day >= 4)
    poison.held.clear()
    life.ticks(70)
    assert life.fires() == set()


def test_a_job_past_its_deadline(life: Life) -> None:
    life.world.gem.answers[JOB] = [answer("running")]
    life.world.add(JOB)
    life.world.clock.move(hours=200)
    life.ticks(5)
    deliver(life)
    assert life.fires() == {"jobs-past-deadline"}


def test_an_answer_that_is_not_documented(life: Life) -> None:
    life.world.gem.answers[JOB] = [answer("paused")]
    life.world.add(JOB)
    life.ticks(2)
    assert life.fires() == {"gem-drifted"}


class TestManifestsThatWait:
    def test_for_an_hour(self, life: Life) -> None:
        finish(life)
        life.ticks(50)
        assert life.fires() == set()
        life.ticks(20)
        assert life.fires() == {"manifests-waiting"}
        deliver(life)
        assert life.fires() == set()

    def test_for_days(self, life: Life) -> None:
        """The event of settling is out of sight by then; the sweep's are not."""
        finish(life)
        for _ in range(60):
            life.world.clock.move(hours=1)
            life.ticks(2)
        life.ticks(15)
        assert life.fires() == {"manifests-waiting"}

    def test_for_the_longest_time_that_may_be_set(self, life: Life) -> None:
        """It rings after that time, and each time that the rule runs afterwards."""
        finish(life)
        for hour in range(48):
            life.ticks(2)
            life.world.clock.move(minutes=58)
            assert bool(life.ask("manifests-waiting", query=LONGEST)) == (hour >= 22)

    def test_not_while_an_output_may_still_appear(self, life: Life) -> None:
        finish(life)
        life.world.files.held.clear()
        for _ in range(45):
            deliver(life)
            life.tick()
        assert life.fires() == set()

    def test_not_for_a_redelivery_that_was_asked_for_just_now(self, life: Life) -> None:
        finish(life)
        deliver(life)
        life.ticks(300)
        redeliver_job(life.world.manager, JOB)
        assert life.fires() == set()
        deliver(life)
        life.ticks(90)
        assert life.fires() == set()

    def test_not_for_a_ticket_that_was_logged_too_late(self, life: Life) -> None:
        """The sweep logs a ticket after raising it; a delivery may be done by then."""
        finish(life)
        deliver(life)
        life.world.clock.move(seconds=1)
        log(Event.TICKET_REPEATED, job_run_id=JOB, tickets=2)
        life.world.clock.move(seconds=1)
        deliver_results(life.world.deliverer, JOB)
        life.ticks(90)
        assert life.fires() == set()

    def test_not_for_long_for_a_job_that_was_forgotten_at_a_terminal(self, life: Life) -> None:
        """The terminal's line is in no table; the tick's is, when it takes the marker away."""
        finish(life)
        life.ticks(70)
        assert life.fires() == {"manifests-waiting"}
        forget_job(life.world.manager, JOB)
        line = life.lines.pop()
        assert "job_forgotten" in line[1]
        assert life.fires() == {"manifests-waiting"}
        life.ticks(62)
        assert life.fires() == set()

    @pytest.mark.parametrize("error", [OutputUnreachable, OutputWithoutToken])
    def test_for_an_output_that_cannot_be_read(
        self, life: Life, error: type[OutputUnreachable]
    ) -> None:
        finish(life)
        life.world.files.errors[OUTPUT] = error("no answer")
        for _ in range(70):
            with suppress(OutputUnreachable):
                deliver(life)
            life.tick()
        assert life.fires() == {"manifests-waiting", "deliveries-postponed"}

    def test_the_reason_of_a_postponed_delivery_is_in_the_row(self, life: Life) -> None:
        """From an hour on, without a gap, until it is delivered."""
        finish(life)
        life.world.files.errors[OUTPUT] = OutputUnreachable("no answer")
        deliver(life)
        since = life.world.clock()
        while life.world.clock() - since < 3 * TROUBLE_AFTER:
            for _ in range(15):
                life.tick()
                deliver(life)
            late = life.world.clock() - since - TROUBLE_AFTER
            assert bool(life.ask("deliveries-postponed")) == (late > timedelta())
        rows = life.ask("deliveries-postponed")
        assert {(row[1], row[2], row[5]) for row in rows} == {
            (JOB, since.replace(tzinfo=None), "no answer")
        }
        del life.world.files.errors[OUTPUT]
        life.ticks(11)
        deliver(life)
        life.ticks(30)
        assert life.fires() == set()


@pytest.mark.parametrize("name", OF_THE_WORKBOOK)
def test_the_workbook_shows_something_of_a_life(life: Life, name: str) -> None:
    finish(life)
    life.world.gem.answers["job-strange"] = [answer("paused")]
    life.world.add("job-strange")
    deliver(life)
    life.ticks(30)
    assert life.ask(name)


def test_the_matched_share_is_that_of_the_file(life: Life) -> None:
    finish(life)
    deliver(life)
    [(_, lowest, median, highest)] = life.ask("matched-share-over-time")
    assert lowest == median == highest == 0.75


def test_a_line_is_found_before_its_traceback(life: Life) -> None:
    """A log line with a traceback is still one event."""
    life.world.gem.answers[JOB] = [ValueError("boom")]
    life.world.add(JOB)
    life.tick()
    [row] = life.ask("latest-problems")
    assert "job_check_crashed" in row
