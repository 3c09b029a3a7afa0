"""Storage or the identity endpoint is away while many jobs end, the timer is dead, runs are cut
off: no ticket fails too often, and no manifest is lost.
"""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gem_core.flows.check_jobs import REQUEST_BUDGET
from gem_core.settings.route import DEFAULT, Route
from gem_core.watch.attempts import LONGEST_WAIT
from tests.builders import DEFAULT_ROUTE
from tests.world.gem import plain_life
from tests.world.outage import Outage, Part
from tests.world.plan import RANDOM, Act, Deed, Plan, Setting
from tests.world.routes import ALL
from tests.world.world import Result, World

JOBS = 30
ENDS = 300.0
"""Seconds after which storage goes away. A job ends each second, from 15 s before that on."""
CALM = replace(
    RANDOM,
    policy=replace(RANDOM.policy, check_min=timedelta(seconds=1), check_max=timedelta(seconds=5)),
    horizon=ENDS + 3600,
    tick_every=5,
)
"""GEM is asked often, so that jobs settle just before the outage, in it and after it."""


def run(
    *outages: Outage,
    setting: Setting = CALM,
    every: float = 1,
    routes: tuple[Route, ...] = (DEFAULT_ROUTE,),
) -> Result:
    lives = tuple(
        plain_life(f"job-{n:02}", f"roads-{n:02}.parquet", "valid", ENDS - JOBS / 2 + n * every)
        for n in range(JOBS)
    )
    acts = tuple(Act(1 + n / 10, Deed.REGISTER, life.job_run_id) for n, life in enumerate(lives))
    plan = Plan("an outage", lives, acts, setting=setting, outages=outages, routes=routes)
    world = World(plan)
    result = world.run()
    assert world._edges.poison.count() == 0, "a tick removes what was delivered meanwhile"
    sent = [json.loads(event)["data"]["outcome"] for event in world._edges.queues[DEFAULT].sent]
    assert set(sent) == {"valid"}, "no end was concluded that GEM did not tell"
    return result


@pytest.mark.parametrize("part", Part, ids=lambda part: part.name)
@pytest.mark.parametrize("lasts", [20, 120])
def test_a_short_outage_poisons_nothing_and_loses_nothing(part: Part, lasts: float) -> None:
    result = run(Outage(ENDS, lasts, part), routes=(DEFAULT_ROUTE, ALL))
    assert result.breaches == ()
    assert (result.owed, result.lost) == (JOBS, 0)
    assert not result.poisoned


@pytest.mark.parametrize("part", Part, ids=lambda part: part.name)
def test_an_outage_of_half_an_hour_loses_nothing(part: Part) -> None:
    """Only records that are away alone let tickets fail too often: that is what poison is for."""
    result = run(Outage(ENDS, 1800, part), routes=(DEFAULT_ROUTE, ALL))
    assert result.breaches == ()
    assert (result.owed, result.lost) == (JOBS, 0)
    assert bool(result.poisoned) == (part is Part.RECORDS)


DAY = timedelta(days=1).total_seconds()


@pytest.mark.parametrize("part", [Part.IDENTITY, Part.TOKEN_FOR_GEM], ids=lambda part: part.name)
@pytest.mark.parametrize("lasts", [60, pytest.param(DAY, marks=pytest.mark.slow)])
def test_without_tokens_nothing_is_concluded_and_nothing_is_lost(part: Part, lasts: float) -> None:
    """Also when the deadline of every job passes meanwhile: the ledger knows what GEM said."""
    result = run(Outage(ENDS, lasts, part), setting=replace(RANDOM, tick_every=60))
    assert result.breaches == ()
    assert (result.owed, result.lost) == (JOBS, 0)
    assert not result.poisoned
    after = max(CALM.horizon, ENDS + lasts)
    assert result.seconds < after + (LONGEST_WAIT + RANDOM.policy.check_max).total_seconds() + 60


@pytest.mark.slow
def test_a_day_of_ticks_from_outside_loses_nothing() -> None:
    """The timer is dead; jobs end over the whole day."""
    policy = replace(RANDOM.policy, job_deadline=timedelta(days=2))
    result = run(
        setting=replace(
            CALM, policy=policy, tick_every=60, horizon=DAY, tick_budget=REQUEST_BUDGET
        ),
        every=DAY / JOBS,
    )
    assert result.breaches == ()
    assert (result.owed, result.lost, result.sent) == (JOBS, 0, JOBS)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_runs_that_are_cut_off_after_a_second_lose_nothing(share: float) -> None:
    result = run(setting=replace(CALM, cut_off=share))
    assert result.endings["Killed"] > JOBS * share
    assert result.breaches == ()
    assert (result.owed, result.lost) == (JOBS, 0)
