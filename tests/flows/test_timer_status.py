"""The status route shows whether the timer works."""

from datetime import timedelta

import pytest

from gem_core.errors import GemUnavailable, StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.timer_status import timer_status
from gem_core.watch.heartbeat import Tick
from tests.builders import JOB, World, answer, logged


def test_before_the_first_tick_the_timer_is_silent() -> None:
    alive, detail = timer_status(World().manager)
    assert not alive
    assert detail == {
        "status": "silent",
        "schedule": "0 * * * * *",
        "tickAgeSeconds": None,
        "runningSince": None,
        "unfinishedSince": None,
        "lastTick": None,
    }


def test_the_status_shows_whether_the_timer_works() -> None:
    world = World()
    world.add(JOB)
    world.gem.answers[JOB] = [answer("running")]
    check_jobs(world.checker)
    world.clock.move(minutes=3)
    alive, detail = timer_status(world.manager)
    assert alive
    assert (detail["status"], detail["tickAgeSeconds"]) == ("ok", 180)
    assert detail["lastTick"]["checked"] == 1
    world.clock.move(seconds=1)
    alive, detail = timer_status(world.manager)
    assert not alive
    assert detail["status"] == "silent"


def test_a_tick_that_uses_its_whole_budget_is_not_silence() -> None:
    # The schedule is one minute and the budget four. The host starts no second tick while one runs.
    world = World()
    world.add(JOB)
    world.gem.answers[JOB] = [answer("running")]
    check_jobs(world.checker)
    world.clock.move(minutes=1)
    seen = []

    def take_long(_: str) -> None:
        began = world.clock().isoformat()
        world.clock.move(minutes=3, seconds=50)
        alive, detail = timer_status(world.manager)
        seen.append(alive)
        # The counts of the last tick stay visible while the next one runs.
        assert (detail["lastTick"]["checked"], detail["runningSince"]) == (1, began)

    world.gem.before = take_long
    check_jobs(world.checker)
    world.clock.move(timedelta(seconds=5))
    seen.append(timer_status(world.manager)[0])
    assert seen == [True, True]


@pytest.mark.parametrize("ended_before", [True, False])
def test_ticks_that_start_and_never_end_are_stuck(*, ended_before: bool) -> None:
    world = World()
    world.add(JOB)
    world.gem.answers[JOB] = [answer("running")]
    if ended_before:
        check_jobs(world.checker)
        world.clock.move(minutes=1)

    def refuse() -> None:
        if world.trap.calls[-1] == "leases.every":
            raise StoreError("container 'gem-worklist': storage answered 409")

    world.trap.check = refuse
    since, statuses = world.clock(), []
    for _ in range(9):
        with pytest.raises(StoreError):
            check_jobs(world.checker)
        statuses.append(timer_status(world.manager)[1]["status"])
        world.clock.move(minutes=1)
    assert statuses == ["ok"] * 8 + ["stuck"]
    alive, detail = timer_status(world.manager)
    assert (alive, detail["unfinishedSince"]) == (False, since.isoformat())
    world.trap.check = lambda: None
    check_jobs(world.checker)
    alive, detail = timer_status(world.manager)
    assert (alive, detail["status"], detail["unfinishedSince"]) == (True, "ok", None)


def test_after_a_tick_that_ends_the_timer_is_ok_again() -> None:
    world = World()
    for _ in range(20):
        world.heartbeat.start(world.clock())  # dies
        world.clock.move(minutes=1)
        check_jobs(world.checker)
        world.clock.move(minutes=1)
    world.heartbeat.start(world.clock())
    assert timer_status(world.manager)[0]


@pytest.mark.parametrize("new_process", [True, False])
def test_ticks_from_outside_beside_the_timer_are_not_stuck(*, new_process: bool) -> None:
    """Each minute two ticks overlap, and the one that started first ends last."""
    world = World()
    timer, outside = world.heartbeat, world.heartbeat
    for _ in range(20):
        if new_process:
            timer, outside = world.heartbeat, world.heartbeat
        timer.start(first := world.clock())
        world.clock.move(seconds=1)
        outside.start(second := world.clock())
        world.clock.move(seconds=1)
        outside.end(Tick(second, ended_at=world.clock()))
        world.clock.move(seconds=1)
        timer.end(Tick(first, ended_at=world.clock()))
        world.clock.move(seconds=57)
        alive, detail = timer_status(world.manager)
        assert (alive, detail["unfinishedSince"]) == (True, None)


def test_the_next_tick_says_that_the_one_before_was_cut_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One run that the platform ends is no alarm, but an operator can see it."""
    caplog.set_level("INFO")
    world = World()
    check_jobs(world.checker)
    world.clock.move(minutes=1)
    world.heartbeat.start(cut_off := world.clock())  # and the platform ends this run
    world.clock.move(minutes=1)
    check_jobs(world.checker)
    world.clock.move(minutes=1)
    check_jobs(world.checker)
    assert timer_status(world.manager)[0]
    told = [line["unfinished_since"] for line in logged(caplog, "tick_started")]
    assert told == [None, cut_off.isoformat(), None]


def test_a_tick_of_which_every_question_failed_is_failing_and_the_timer_works() -> None:
    world = World()
    world.add(JOB, "other")
    world.gem.answers = {job: [GemUnavailable("GEM answered 500")] for job in (JOB, "other")}
    check_jobs(world.checker)
    alive, detail = timer_status(world.manager)
    assert (alive, detail["status"]) == (True, "failing")
    world.gem.answers["other"] = [answer("running")]
    world.clock.move(minutes=1)
    check_jobs(world.checker)
    assert timer_status(world.manager)[1]["status"] == "ok"


def test_ticks_that_leave_healthy_jobs_due_for_long_are_behind() -> None:
    world = World()
    jobs = [f"job-{number}" for number in range(40)]
    world.add(*jobs)
    world.gem.answers = {job: [answer("running")] for job in jobs}
    world.gem.before = lambda _: world.clock.move(minutes=1)
    statuses = []
    for _ in range(2):
        check_jobs(world.checker)
        statuses.append(timer_status(world.manager)[1]["status"])
    assert statuses == ["behind", "behind"]
    world.gem.before = lambda _: None
    check_jobs(world.checker)
    assert timer_status(world.manager)[1]["status"] == "ok"
