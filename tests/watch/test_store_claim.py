"""Who may tick on a storage, and when a 404 can mean that a job is lost."""

from datetime import timedelta

import pytest

from gem_core.errors import StoreClaimed
from gem_core.watch.heartbeat import STARTED, Heartbeat
from gem_core.watch.store_claim import LAPSES_AFTER, NOT_LOST_FOR, Ticker
from tests.builders import World

FIRST, SECOND, PERSON = Ticker("first", "A"), Ticker("second", "B"), Ticker("", "C")
MINUTE = timedelta(minutes=1)


def tick(world: World, ticker: Ticker) -> None:
    Heartbeat(world.worklist, ticker).start(world.clock())


def may_lose(world: World, ticker: Ticker) -> bool:
    return Heartbeat(world.worklist, ticker).may_lose(world.clock())


def test_another_app_with_another_identity_is_refused_and_changes_nothing() -> None:
    world = World()
    tick(world, FIRST)
    held = world.worklist.get(STARTED)
    for other in (SECOND, PERSON):
        with pytest.raises(StoreClaimed, match=r"'first' ticks on this GEM_STATE, for GEM as A"):
            tick(world, other)
    assert world.worklist.get(STARTED) == held


@pytest.mark.parametrize(
    "restart",
    [FIRST, Ticker("first", "B"), Ticker("second", "A"), Ticker("", "A")],
    ids=["an instance", "a new identity", "a new name", "a command"],
)
def test_a_good_restart_is_never_refused(restart: Ticker) -> None:
    world = World()
    for ticker in (FIRST, restart, FIRST, restart):
        tick(world, ticker)


def test_processes_without_a_name_claim_nothing() -> None:
    world = World()
    for ticker in (PERSON, Ticker("", "D"), SECOND, Ticker("second", "C"), FIRST):
        if ticker is not FIRST:
            tick(world, ticker)
    with pytest.raises(StoreClaimed):
        tick(world, FIRST)


def test_a_command_keeps_the_claim_of_the_app_with_its_identity() -> None:
    world = World()
    tick(world, FIRST)
    tick(world, Ticker("", "A"))
    with pytest.raises(StoreClaimed, match="'first'"):
        tick(world, SECOND)


def test_each_tick_renews_the_claim_and_without_one_it_lapses_after_an_hour() -> None:
    world = World()
    for _ in range(3):
        tick(world, FIRST)
        world.clock.move(LAPSES_AFTER - MINUTE)
        with pytest.raises(StoreClaimed):
            tick(world, SECOND)
    world.clock.move(MINUTE)
    tick(world, SECOND)
    with pytest.raises(StoreClaimed):
        tick(world, FIRST)


def test_a_claim_that_was_released_lapses_at_once() -> None:
    world = World()
    assert Heartbeat(world.worklist).release() == ""
    tick(world, FIRST)
    assert Heartbeat(world.worklist).release() == "first"
    assert Heartbeat(world.worklist).release() == ""
    tick(world, SECOND)
    assert not may_lose(world, SECOND)


@pytest.mark.parametrize("step", [timedelta(days=-1), timedelta(days=1)], ids=str)
def test_a_claim_of_a_wrong_clock_has_lapsed(step: timedelta) -> None:
    world = World()
    tick(world, FIRST)
    world.clock.move(step)
    tick(world, SECOND)


def test_for_six_hours_after_another_identity_no_job_is_lost() -> None:
    world = World()
    tick(world, FIRST)
    assert may_lose(world, FIRST)
    assert not may_lose(world, Ticker("first", "B"))
    began = world.clock()
    while world.clock() < began + NOT_LOST_FOR:
        tick(world, Ticker("first", "B"))
        assert not may_lose(world, Ticker("first", "B"))
        world.clock.move(minutes=10)
    assert may_lose(world, Ticker("first", "B"))
    assert not may_lose(world, FIRST)


def test_the_six_hours_begin_anew_when_the_clock_was_set_back() -> None:
    world = World()
    tick(world, FIRST)
    tick(world, new := Ticker("first", "B"))
    world.clock.move(days=-1)
    tick(world, new)
    world.clock.move(NOT_LOST_FOR - MINUTE)
    assert not may_lose(world, new)
    world.clock.move(MINUTE)
    assert may_lose(world, new)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"startedAt": "2026-01-20T10:00:00+00:00"}'])
def test_a_tick_of_an_older_version_claims_nothing(body: bytes) -> None:
    world = World()
    world.worklist.put(STARTED, body)
    assert may_lose(world, SECOND)
    tick(world, SECOND)
    assert may_lose(world, SECOND)
