"""Two deployments on one storage: the second does not tick, and another identity loses no job."""

from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest

from gem_core.errors import GemJobNotFound, StoreClaimed
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.checker import Checker
from gem_core.flows.deliver_results import deliver_results
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.store_claim import NOT_LOST_FOR, Ticker
from tests.builders import JOB, World, answer, finished, policy
from tests.flows.build import world_of

NOT_FOUND = GemJobNotFound("GEM answered 404")


def app(world: World, name: str, identity: str = "") -> Checker:
    ticker = Ticker(name, identity or f"identity of {name}")
    return replace(world.checker, heartbeat=Heartbeat(world.worklist, ticker))


def test_the_second_app_does_not_tick() -> None:
    world = world_of(JOB)
    check_jobs(app(world, "first"))
    world.gem.asked.clear()
    before = world.worklist.changes
    world.clock.move(minutes=11)
    with pytest.raises(StoreClaimed):
        check_jobs(app(world, "second"))
    assert (world.gem.asked, world.worklist.changes) == ([], before)


def test_the_second_app_calls_no_output_missing_that_may_be_in_the_storage_of_the_first() -> None:
    world = World()
    world.settle(finished())
    check_jobs(app(world, "first"))
    second = replace(world.deliverer, heartbeat=app(world, "second").heartbeat)
    world.clock.move(minutes=31)
    for _ in range(5):
        check_jobs(app(world, "first"))
        assert deliver_results(second, JOB) is None
        world.clock.move(minutes=11)
    last = world.record().attempts.postponement
    assert last
    assert "but the app 'first' ticks on this GEM_STATE" in last.reason
    first = replace(world.deliverer, heartbeat=app(world, "first").heartbeat)
    deliver_results(first, JOB)
    assert world.record().outcome == "output_missing"


def test_after_a_takeover_a_job_that_is_not_found_is_lost_only_after_six_hours() -> None:
    world = world_of(JOB)
    check_jobs(app(world, "first"))
    world.gem.answers[JOB] = [NOT_FOUND]
    world.clock.move(hours=1)
    began = world.clock()
    while world.record().stage is Stage.WATCHING:
        assert world.clock() < began + NOT_LOST_FOR + timedelta(minutes=30)
        check_jobs(app(world, "second"))
        world.clock.move(minutes=5)
    assert world.clock() >= began + NOT_LOST_FOR
    assert world.record().settlement is Settlement.LOST


def test_two_identities_in_turn_lose_no_job_and_each_job_ends_at_its_deadline() -> None:
    """Two processes that Azure gives no name: none claims the storage, and none is refused."""
    world = world_of(JOB)
    world.policy = policy(job_deadline=timedelta(days=1))
    began = world.clock()
    for identity in cycle("AB"):
        world.gem.answers[JOB] = [answer("running") if identity == "A" else NOT_FOUND]
        if world.clock() - began > timedelta(hours=1):
            world.gem.answers[JOB] = [NOT_FOUND]  # from now on both
        check_jobs(app(world, "", identity))
        if world.record().stage is not Stage.WATCHING:
            break
        world.clock.move(minutes=5)
    assert world.record().settlement is Settlement.EXPIRED
    assert world.clock() - began < timedelta(days=1, hours=1)
