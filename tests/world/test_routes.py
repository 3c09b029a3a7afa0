"""Listeners with routes of their own: each gets all of theirs, whoever's queue is broken."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from gem_core.settings.route import DEFAULT
from gem_core.watch.attempts import SLOW_AFTER
from tests.builders import DEFAULT_ROUTE
from tests.world.campaign import quiet
from tests.world.exhaustive import cases, kills, troubles, with_faults
from tests.world.gem import plain_life
from tests.world.outage import Outage, Part
from tests.world.plan import RANDOM, Act, Deed, Plan, random_plan
from tests.world.routes import ALL, BAD, with_routes
from tests.world.witness import Sent
from tests.world.world import World

SEEDS = 60
JOBS = 12
ENDS = 300.0
"""Seconds after which the first job ends; the others follow within a minute."""


@pytest.fixture(autouse=True)
def without_log_lines() -> Iterator[None]:
    with quiet():
        yield


def lives_of(count: int) -> Plan:
    """Jobs that end at about the same time; every third one is invalid."""
    lives = tuple(
        plain_life(f"job-{n:02}", f"roads-{n:02}.parquet", ("valid", "valid", "invalid")[n % 3],
                   ENDS + 5 * n)
        for n in range(count)
    )  # fmt: skip
    acts = tuple(Act(1 + n / 10, Deed.REGISTER, life.job_run_id) for n, life in enumerate(lives))
    return Plan("routes", lives, acts, setting=replace(RANDOM, horizon=ENDS))


def on(world: World, route: str) -> list[Sent]:
    """What was sent to a route."""
    ledger = world._edges.ledger
    return [sent for each in ledger.sent.values() for sent in each if sent.route == route]


def test_each_route_gets_all_of_its_manifests_whatever_happens() -> None:
    """Faults, kills, outages of the queue, operators; a part of the campaign."""
    sent = dict.fromkeys((DEFAULT, ALL.name, BAD.name), 0)
    for seed in range(SEEDS):
        plan = with_routes(random_plan(seed), Random(f"all with routes {seed}"))
        world = World(plan)
        assert world.run().breaches == (), f"seed {seed}"
        for name in sent:
            sent[name] += len(on(world, name))
    assert min(sent.values()) > SEEDS / 5, sent


@pytest.mark.parametrize(
    "lasts", [1800.0, pytest.param(SLOW_AFTER.total_seconds() + 7200, marks=pytest.mark.slow)]
)
def test_a_queue_that_is_broken_holds_no_other_one_up(lasts: float) -> None:
    """It is away when the jobs end, for half an hour or for more than a day."""
    routes = (DEFAULT_ROUTE, ALL, BAD)
    calm = World(replace(lives_of(JOBS), routes=routes))
    calm.run()
    outage = Outage(ENDS - 60, lasts, Part.ROUTE)
    world = World(replace(lives_of(JOBS), routes=routes, outages=(outage,)))
    result = world.run()
    assert result.breaches == ()
    assert (result.owed, result.lost) == (JOBS, 0)
    for name, count in ((DEFAULT, JOBS), (BAD.name, JOBS / 3)):
        assert len(on(world, name)) == count, "each manifest once"
        slowest = max(sent.at for sent in on(calm, name))
        assert max(sent.at for sent in on(world, name)) < slowest + 120
    late = on(world, ALL.name)
    assert len(late) == JOBS
    assert min(sent.at for sent in late) >= outage.ends
    assert {sent.id for sent in late} == {sent.id for sent in on(world, DEFAULT)}
    assert max(sent.at for sent in late) < outage.ends + (3600 if lasts > 1800 else 600) + 1000


@pytest.mark.slow
def test_no_kill_and_no_fault_loses_a_manifest_while_a_queue_is_broken() -> None:
    case = next(case for case in cases() if "routes" in case.name)
    states = World(case.plan, count_states=True).run().states
    assert {"queue.send", "gem-all.send"} <= {call.call for call in states.values()}
    for fault in (*kills(states), *troubles(states)):
        assert World(with_faults(case.plan, fault)).run().breaches == (), fault
