"""Clocks that are wrong or set back neither block a request nor break the rate."""

from datetime import timedelta

import pytest

from gem_core.flows.check_jobs import TICK_BUDGET
from gem_core.watch.rate_limiter import LEASE_TIME, MARGIN, MAX_AHEAD, SleepClock
from tests.fakes import START, Trap
from tests.watch.limited import NEVER, SECOND, World


def test_a_clock_that_went_back_blocks_no_request() -> None:
    world = World(10)
    lease = world.acquire()
    assert lease.wait(START + SECOND)
    world.clock.move(hours=-1)
    assert not lease.wait(world.clock() + timedelta(minutes=4))


@pytest.mark.parametrize("back", [timedelta(hours=2), timedelta(days=1)])
def test_a_lease_that_ends_later_than_any_rule_sets_is_free(back: timedelta) -> None:
    """Its holder died before the clock was set back; or its clock ran ahead."""
    world = World(1)
    assert world.acquire().wait(NEVER)
    world.clock.move(-back)
    now = world.clock()
    assert world.acquire().wait(NEVER)
    assert world.clock() - now == SECOND  # when the last request was, is not known


def test_a_lease_of_the_longest_wait_is_held() -> None:
    world = World(1 / 240)
    lease = world.acquire()
    ends_at = START + TICK_BUDGET
    assert lease.wait(ends_at + SECOND)
    waiting = world.limiter(moves=False)
    assert lease.wait(ends_at + SECOND)
    world.clock.move(-TICK_BUDGET)
    assert waiting.acquire() is None
    assert TICK_BUDGET + MARGIN + LEASE_TIME <= MAX_AHEAD


def test_a_live_holder_whose_lease_was_free_for_another_clock_loses_it() -> None:
    world = World(1)
    ahead = world.acquire()
    world.clock.move(hours=-2)
    assert world.acquire().wait(NEVER)
    world.clock.move(hours=2)
    world.clock.move(LEASE_TIME)
    assert not ahead.wait(NEVER)


@pytest.mark.parametrize(
    ("back", "goes_on"),
    [(timedelta(seconds=3), True), (timedelta(hours=2), False), (timedelta(days=1), False)],
)
def test_a_run_ends_when_the_clock_is_set_back(back: timedelta, *, goes_on: bool) -> None:
    """It would wait as long for its next request. Of a few seconds, it waits."""
    world = World(1)
    world.clock.move(minutes=1)
    lease = world.acquire()
    assert lease.wait(NEVER)
    pauses: list[float] = []
    lease._clock = SleepClock(world.clock, pauses.append)
    world.clock.move(-back)
    assert lease.wait(NEVER) is goes_on
    assert pauses == ([4.0] if goes_on else [])


@pytest.mark.parametrize("call", ["leases.every", "leases.create"])
@pytest.mark.parametrize("back", [timedelta(hours=2), timedelta(days=1)], ids=str)
def test_a_run_ends_when_the_clock_is_set_back_while_it_takes_its_lease(
    back: timedelta, call: str
) -> None:
    """It would wait until the platform ends the process, and all that runs in it."""
    world = World(1)

    def set_back() -> None:
        if trap.calls[-1] == call:
            world.clock.move(-back)

    trap = Trap(check=set_back)
    lease = world.limiter(trap=trap).acquire()
    pauses: list[float] = []
    assert lease
    lease._clock = SleepClock(world.clock, pauses.append)
    assert not lease.wait(NEVER)
    assert pauses == []
