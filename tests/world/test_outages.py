"""Storage is away while many jobs end: no ticket fails too often, and no manifest is lost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.world.gem import plain_life
from tests.world.outage import Outage, Part
from tests.world.plan import RANDOM, Act, Deed, Plan
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


def run(outage: Outage) -> Result:
    lives = tuple(
        plain_life(f"job-{n:02}", f"roads-{n:02}.parquet", "valid", ENDS - JOBS / 2 + n)
        for n in range(JOBS)
    )
    acts = tuple(Act(1 + n / 10, Deed.REGISTER, life.job_run_id) for n, life in enumerate(lives))
    world = World(Plan("an outage", lives, acts, setting=CALM, outages=(outage,)))
    result = world.run()
    assert world._edges.poison.count() == 0, "a tick removes what was delivered meanwhile"
    return result


@pytest.mark.parametrize("part", Part, ids=lambda part: part.name)
@pytest.mark.parametrize("lasts", [20, 120])
def test_a_short_outage_poisons_nothing_and_loses_nothing(part: Part, lasts: float) -> None:
    result = run(Outage(ENDS, lasts, part))
    assert result.breaches == ()
    assert (result.owed, result.lost) == (JOBS, 0)
    assert not result.poisoned


@pytest.mark.parametrize("part", Part, ids=lambda part: part.name)
def test_an_outage_of_half_an_hour_loses_nothing(part: Part) -> None:
    """Only records that are away alone let tickets fail too often: that is what poison is for."""
    result = run(Outage(ENDS, 1800, part))
    assert result.breaches == ()
    assert (result.owed, result.lost) == (JOBS, 0)
    assert bool(result.poisoned) == (part is Part.RECORDS)
