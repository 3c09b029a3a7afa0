"""Two deployments on one storage: the second does not tick, and a takeover loses no job."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.errors import GemJobNotFound, StoreClaimed
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.checker import Checker
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.store_claim import NOT_LOST_FOR, Owner, StoreClaim
from tests.builders import JOB, World
from tests.flows.build import world_of

NOT_FOUND = GemJobNotFound("GEM answered 404")


def app(world: World, name: str) -> Checker:
    owner = Owner(name, f"identity of {name}")
    return replace(world.checker, store_claim=StoreClaim(world.worklist, owner, world.clock))


def test_the_second_app_does_not_tick() -> None:
    world = world_of(JOB)
    check_jobs(app(world, "first"))
    world.gem.asked.clear()
    before = world.worklist.changes
    world.clock.move(minutes=11)
    with pytest.raises(StoreClaimed):
        check_jobs(app(world, "second"))
    assert (world.gem.asked, world.worklist.changes) == ([], before)


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
