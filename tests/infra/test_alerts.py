"""Alerts and workbook over what the app really logs: they speak when they must, and only then.

KQL is run by duckdb-kql, on DuckDB; Azure's own engine could differ. A log line reaches the table
as the Functions host passes it on: the message, and a traceback behind a line break.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.errors import (
    GemAccessError,
    GemWithoutToken,
)
from gem_core.flows.check_jobs import REQUEST_BUDGET, check_jobs
from gem_core.flows.timer_status import timer_status
from gem_core.gem.job import IMPOSSIBLE_JOB
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, answer, finished, matched_file
from tests.fakes import FakePoison
from tests.infra.asked import QUERIES, WINDOWS
from tests.infra.life import MINUTE, Life, deliver, finish

OF_THE_WORKBOOK = sorted(set(QUERIES) - set(WINDOWS))


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


def test_a_silent_timer_fires(life: Life) -> None:
    life.ticks(5)
    life.world.clock.move(minutes=16)
    assert life.fires() == {"no-successful-tick"}


def test_gem_that_refuses_fires_until_it_answers(life: Life) -> None:
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


def test_a_dead_timer_fires_until_a_scheduler_outside_ticks(life: Life) -> None:
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


def test_a_quota_that_blinds_the_other_alerts_fires(life: Life) -> None:
    """Azure's own line; its words are those of the documentation of the daily cap."""
    life.ticks(5)
    detail = "The data volume threshold was reached. Ingestion status = OverQuota"
    life.operations = [(life.world.clock(), detail)]
    life.world.clock.move(minutes=16)
    assert life.fires() == {"log-quota-reached", "no-successful-tick"}


def test_messages_that_failed_too_often_fire(life: Life) -> None:
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


def test_a_job_past_its_deadline_fires(life: Life) -> None:
    life.world.gem.answers[JOB] = [answer("running")]
    life.world.add(JOB)
    life.world.clock.move(hours=200)
    life.ticks(25)
    deliver(life)
    assert life.fires() == {"jobs-past-deadline"}


def test_an_answer_that_is_not_documented(life: Life) -> None:
    life.world.gem.answers[JOB] = [answer("paused")]
    life.world.add(JOB)
    life.ticks(2)
    assert life.fires() == {"gem-drifted"}


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
