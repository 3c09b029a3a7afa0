"""The alerts about manifests that wait, run on the lines of a simulated life."""

from contextlib import suppress
from datetime import timedelta

import pytest

from gem_core.errors import (
    OutputUnreachable,
    OutputWithoutToken,
)
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job, redeliver_job
from gem_core.logs import Event, log
from gem_core.watch.attempts import TROUBLE_AFTER
from tests.builders import JOB, OUTPUT
from tests.infra.asked import LONGEST
from tests.infra.life import Life, deliver, finish


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
        life.ticks(122)
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
