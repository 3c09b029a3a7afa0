"""Runs in which manifests go to several queues, one of which may be away."""

from dataclasses import replace
from random import Random

from gem_core.outcome import Outcome
from gem_core.settings.route import Route
from tests.builders import DEFAULT_ROUTE
from tests.fakes import FakeQueue
from tests.world.outage import LASTS, Outage, Part
from tests.world.overture import with_overture
from tests.world.plan import Act, Deed, Plan, random_plan

ALL = Route("gem-all", "gem-all")
"""It takes what the default route takes, and is the one that is away."""
BAD = Route("gem-bad", "gem-bad", outcomes=(Outcome.INVALID, Outcome.NOT_AUDITED, Outcome.FAILED))
SHARE = 0.4
"""Of the random runs."""


def queues_of(routes: tuple[Route, ...]) -> dict[str, FakeQueue]:
    """The queue of each route."""
    return {route.name: FakeQueue() for route in routes}


def with_routes(plan: Plan, random: Random) -> Plan:
    """The plan with further routes, now and then without the default one; what befalls them."""
    further = ALL, BAD
    routes = further if random.random() < 0.2 else (DEFAULT_ROUTE, *further)
    ends = plan.lives[0].settled_by
    outages = tuple(
        Outage(max(0.0, ends + random.uniform(-100, 100)), random.choice(LASTS), Part.ROUTE)
        for _ in range(random.random() < 0.7)
    )
    acts = tuple(
        Act(
            random.choice(plan.lives).settled_by + random.uniform(0, 900),
            random.choice((Deed.RESEND, Deed.RESEND, Deed.DROP_ROUTE)),
            random.choice(plan.lives).job_run_id,
        )
        for _ in range(random.choice((0, 1, 3)))
    )
    return replace(
        plan,
        routes=routes,
        outages=(*plan.outages, *outages),
        acts=tuple(sorted((*plan.acts, *acts), key=lambda act: act.at)),
    )


def plan_of(seed: int) -> Plan:
    """The plan of a seed; in a part of the seeds with routes, or with Overture."""
    plan, random = with_overture(random_plan(seed)), Random(f"routes {seed}")
    return with_routes(plan, random) if random.random() < SHARE else plan
