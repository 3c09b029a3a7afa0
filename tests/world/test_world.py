"""The world itself: the same plan is the same run, and whoever is dead does nothing more."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice, pairwise
from unittest.mock import patch

import pytest

from gem_core.watch import rate_limiter
from tests.fakes import Killed
from tests.world.exhaustive import cases, with_faults
from tests.world.faults import CLOCK, Fault, possible
from tests.world.loop import Ending, Loop, Process
from tests.world.plan import CallFault
from tests.world.routes import plan_of
from tests.world.world import World


def trace(seed: int) -> list[str]:
    lines: list[str] = []
    World(plan_of(seed), tell=lines.append).run()
    return lines


@pytest.mark.parametrize("seed", range(5))
def test_a_seed_is_a_run(seed: int) -> None:
    assert trace(seed) == trace(seed)
    assert trace(seed) != trace(seed + 1)


def test_two_stories_take_turns_call_by_call() -> None:
    """Two stories of one seed take turns, call by call."""
    tellers = [line.split()[2] for seed in range(5) for line in trace(seed)]
    changes = sum(a != b for a, b in pairwise(tellers))
    assert changes > len(tellers) / 10


class Stage:
    """A loop, one process, and what its stories did."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.process = Process()
        self.did: list[str] = []
        self.endings: list[Ending] = []

    def start(self, name: str, *, lasts: float = 1000) -> None:
        self.loop.start(
            name,
            self.process,
            lambda: self.story(name),
            lasts=lasts,
            on_end=self.endings.append,
        )

    def story(self, name: str) -> None:
        try:
            for step in range(3):
                self.loop.wait(10)
                self.did.append(f"{name}{step}")
        finally:
            self.loop.wait(1)
            self.did.append(f"{name} tidies")

    def run(self) -> None:
        self.loop.run(until=lambda: False)


def test_a_killed_process_ends_all_its_stories_and_none_tidies() -> None:
    stage = Stage()
    stage.start("a")
    stage.loop.later(5, lambda: stage.start("b"))
    stage.loop.later(18, lambda: stage.loop.kill(stage.process))
    stage.run()
    assert stage.did == ["a0", "b0"]
    assert [type(ending) for ending in stage.endings] == [Killed, Killed]
    assert stage.loop.running == []


def test_a_process_that_dies_within_a_story_takes_the_others_along() -> None:
    stage = Stage()
    stage.start("a")
    stage.loop.later(12, lambda: stage.loop.start(
        "b", stage.process, stage.loop.die, lasts=9, on_end=stage.endings.append
    ))  # fmt: skip
    stage.run()
    assert stage.did == ["a0"]
    assert [type(ending) for ending in stage.endings] == [Killed, Killed]


def test_a_story_that_has_not_begun_dies_too() -> None:
    stage = Stage()
    stage.start("a")
    stage.loop.kill(stage.process)
    stage.run()
    assert stage.did == []
    assert len(stage.endings) == 1


def test_a_story_ends_at_the_function_timeout() -> None:
    stage = Stage()
    stage.start("a", lasts=25)
    stage.run()
    assert stage.did == ["a0", "a1"]
    assert stage.loop.seconds == 25


def test_jobs_of_a_tick_are_done_side_by_side() -> None:
    stage = Stage()
    results: list[list[int]] = []

    def square(number: int) -> int:
        stage.loop.wait(10)
        stage.did.append(f"{number} at {stage.loop.seconds:.0f}")
        return number * number

    stage.loop.start(
        "tick",
        stage.process,
        lambda: results.append(stage.loop.each(square, range(5), at_once=2)),
        lasts=1000,
        on_end=stage.endings.append,
    )
    stage.run()
    assert results == [[0, 1, 4, 9, 16]]
    assert stage.did == ["0 at 10", "1 at 10", "2 at 20", "3 at 20", "4 at 30"]


def test_a_kill_before_and_after_a_call_differ_by_its_effect() -> None:
    case = next(cases())
    calls = World(case.plan, count_states=True).run().states
    (sending,) = (number for number, call in calls.items() if call.call == "queue.send")
    before = World(with_faults(case.plan, CallFault(sending, Fault.KILL_BEFORE))).run()
    after = World(with_faults(case.plan, CallFault(sending, Fault.KILL_AFTER))).run()
    assert (before.sent, after.sent) == (1, 2)
    assert before.breaches == after.breaches == ()


@pytest.mark.parametrize("call", ["jobs.replace", "gem.get_job", "files.open", "new.edge"])
def test_every_call_may_be_the_last_one(call: str) -> None:
    assert set(possible(call)) >= {Fault.KILL_BEFORE, Fault.KILL_AFTER}


@pytest.mark.parametrize("fault", CLOCK, ids=lambda fault: fault.name)
def test_our_clock_may_be_set_before_any_call(fault: Fault) -> None:
    """The first call of each kind in some cases; `--part clocks` has all calls of all cases."""
    for case in islice(cases(), 0, None, 14):
        states = World(case.plan, count_states=True).run().states
        first = {states[number].call: number for number in sorted(states, reverse=True)}
        for number in first.values():
            result = World(with_faults(case.plan, CallFault(number, fault))).run()
            assert (result.breaches, result.lost) == ((), 0), number
            assert result.injected[fault] == 1


@pytest.mark.parametrize("fault", CLOCK, ids=lambda fault: fault.name)
def test_no_step_of_the_machines_clock_is_seen_by_an_app_that_knows_storages(fault: Fault) -> None:
    plan = replace(next(cases()).plan, asks_storage=True)
    undisturbed = World(plan, count_states=True).run()
    for number in sorted(undisturbed.states)[::3]:
        result = World(with_faults(plan, CallFault(number, fault))).run()
        assert (result.breaches, result.lost) == ((), 0), number
        assert (result.sent, result.called) == (undisturbed.sent, undisturbed.called), number


def test_a_tick_that_is_idle_though_nobody_has_a_lease_is_found() -> None:
    """Without the limit for the end of a lease, a clock that was ahead leaves ticks idle."""
    with patch.object(rate_limiter, "MAX_AHEAD", timedelta(days=99)):
        plans = (plan for plan in map(plan_of, range(300)) if plan.sets_clock)
        assert any("a tick is idle" in str(World(plan).run().breaches) for plan in plans)
