"""Two apps never tick on one storage, and the one with another identity loses no job."""

from datetime import timedelta

import pytest

from gem_core.errors import StoreClaimed
from gem_core.watch.store_claim import LAPSES_AFTER, NAME, NOT_LOST_FOR, Owner, StoreClaim
from tests.builders import World

FIRST, SECOND = Owner("first", "A"), Owner("second", "B")


def claim(world: World, owner: Owner) -> StoreClaim:
    return StoreClaim(world.worklist, owner, world.clock)


def test_the_second_app_is_refused_and_changes_nothing() -> None:
    world = World()
    claim(world, FIRST).renew()
    held = world.worklist.get(NAME)
    for owner in (SECOND, Owner("second", "A"), Owner("", "B")):
        with pytest.raises(StoreClaimed, match=r"'first' ticks on this GEM_STATE, as A"):
            claim(world, owner).renew()
        assert "'first'" in claim(world, owner).problem()
    assert world.worklist.get(NAME) == held


@pytest.mark.parametrize("owner", [FIRST, Owner("", "A")], ids=["instance", "command"])
def test_instances_and_commands_with_the_same_identity_share_the_claim(owner: Owner) -> None:
    world = World()
    claim(world, FIRST).renew()
    claim(world, owner).renew()
    assert claim(world, owner).problem() == ""
    with pytest.raises(StoreClaimed):
        claim(world, SECOND).renew()


def test_each_tick_renews_the_claim_and_without_one_it_lapses_after_an_hour() -> None:
    world = World()
    for _ in range(90):
        claim(world, FIRST).renew()
        world.clock.move(minutes=1)
    world.clock.move(LAPSES_AFTER - timedelta(minutes=6))
    with pytest.raises(StoreClaimed):
        claim(world, SECOND).renew()
    world.clock.move(minutes=6)
    claim(world, SECOND).renew()
    with pytest.raises(StoreClaimed):
        claim(world, FIRST).renew()


def test_a_claim_that_was_released_lapses_at_once() -> None:
    world = World()
    assert claim(world, SECOND).release() == ""
    claim(world, FIRST).renew()
    assert claim(world, SECOND).release() == "first"
    claim(world, SECOND).renew()
    assert not claim(world, SECOND).may_lose()


def test_for_six_hours_after_another_identity_took_over_no_job_is_lost() -> None:
    world = World()
    claim(world, FIRST).renew()
    assert claim(world, FIRST).may_lose()
    world.clock.move(LAPSES_AFTER)
    claim(world, SECOND).renew()
    began = world.clock()
    while world.clock() < began + NOT_LOST_FOR:
        claim(world, SECOND).renew()
        assert not claim(world, SECOND).may_lose()
        world.clock.move(minutes=10)
    assert claim(world, SECOND).may_lose()
    assert not claim(world, FIRST).may_lose()


def test_the_same_app_may_change_its_identity_and_then_loses_nothing_for_six_hours() -> None:
    world = World()
    claim(world, FIRST).renew()
    changed = claim(world, Owner("first", "B"))
    world.clock.move(minutes=10)
    changed.renew()
    assert not changed.may_lose()


def test_an_edited_claim_and_one_of_a_wrong_clock_are_none() -> None:
    world = World()
    world.worklist.put(NAME, b'{"app": 1}')
    claim(world, FIRST).renew()
    world.clock.move(days=-1)
    claim(world, SECOND).renew()
