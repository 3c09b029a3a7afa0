"""Ticks may overlap, be cut off at any moment, and come from outside: nothing is lost."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from gem_core.flows.check_jobs import BUSY, REQUEST_BUDGET, check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.timer_status import timer_status
from gem_core.watch.heartbeat import Tick
from gem_core.watch.record import Stage
from tests.builders import OUTPUT, World, answer, check_manifest, finished, matched_file
from tests.fakes import START, Killed, Trap
from tests.flows.build import world_of

JOBS = [f"job-{number:02}" for number in range(12)]


def test_a_tick_from_outside_asks_nothing_while_another_tick_asks() -> None:
    world = world_of(*JOBS)
    outside: list[Tick] = []

    def tick_beside(_: str) -> None:
        world.gem.before = lambda _: None
        outside.append(check_jobs(world.checker, budget=REQUEST_BUDGET))

    world.gem.before = tick_beside
    timer = check_jobs(world.checker)
    assert (timer.checked, timer.stopped) == (len(JOBS), None)
    assert [(tick.checked, tick.stopped) for tick in outside] == [(0, BUSY)]
    assert sorted(world.gem.asked) == JOBS
    assert timer_status(world.manager)[0]


def test_ticks_from_outside_keep_the_app_working_while_the_timer_is_dead() -> None:
    world = world_of(*JOBS, gem_answer=finished())
    assert not timer_status(world.manager)[0]
    check_jobs(world.checker, budget=REQUEST_BUDGET)
    assert timer_status(world.manager)[0]
    assert world.new_tickets() == JOBS


def test_a_tick_of_a_request_ends_before_azure_ends_the_request() -> None:
    """Its last question may take a minute; Azure's front end waits 230 seconds."""
    world = world_of(*JOBS)
    world.gem.before = lambda _: world.clock.move(seconds=59)
    tick = check_jobs(world.checker, budget=REQUEST_BUDGET)
    assert (tick.checked, tick.remaining) == (3, len(JOBS) - 3)
    assert world.clock() - START < timedelta(seconds=230)


def a_cut_off_life(seed: int) -> tuple[World, Counter[str]]:
    """Ticks of which most are cut off, until every job is delivered."""
    random, outcomes = Random(seed), Counter[str]()
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers = {job: [*[answer()] * 5, finished()] for job in JOBS}
    world.add(*JOBS)
    while any(world.record(job).stage is not Stage.DELIVERED for job in JOBS):
        assert world.clock() < START + timedelta(days=2), "not delivered"
        # The platform cuts off three of four runs, before or after any request.
        at = random.randrange(25) if random.random() < 0.75 else None
        world.trap = Trap(at, after=random.random() < 0.5)
        try:
            check_jobs(world.checker)
            outcomes["ended"] += 1
        except Killed:
            outcomes["cut off"] += 1
        world.trap = Trap(check=world.assert_open_records_are_marked)
        for job in world.new_tickets():
            if random.random() < 0.7:  # the other events are lost
                deliver_results(world.deliverer, job)
        world.clock.move(minutes=5)
    return world, outcomes


@pytest.mark.parametrize("seed", range(6))
def test_ticks_that_are_cut_off_lose_nothing(seed: int) -> None:
    world, outcomes = a_cut_off_life(seed)
    assert outcomes["cut off"] >= 5
    events = [check_manifest(body) for body in world.queue.sent]
    ids = {job: {e["id"] for e in events if e["data"]["jobRunId"] == job} for job in JOBS}
    assert {job: len(found) for job, found in ids.items()} == dict.fromkeys(JOBS, 1)
    assert {event["data"]["outcome"] for event in events} == {"valid"}


def test_a_tick_after_cut_off_ticks_makes_the_timer_healthy_again() -> None:
    world = world_of(*JOBS)
    for minute in range(4):
        world.trap = Trap(3 + minute)
        with pytest.raises(Killed):
            check_jobs(world.checker)
        world.clock.move(minutes=1)
    world.trap = Trap()
    check_jobs(world.checker)
    alive, detail = timer_status(world.manager)
    assert (alive, detail["unfinishedSince"]) == (True, None)
