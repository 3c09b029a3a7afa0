"""What will happen in a run, all of it decided before it begins: lives, acts, faults.

A plan is made from a seed, so a seed is a run; and each part of it can be left out, so that a run
that fails can be made small.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from random import Random

from gem_core.flows.check_jobs import TICK_BUDGET
from gem_core.settings.route import Route
from gem_core.watch.batch import BatchPlan
from gem_core.watch.schedule import Policy
from tests.builders import DEFAULT_ROUTE
from tests.world.faults import CLOCK, KILLS, SPELLS, STEPS, Fault
from tests.world.gem import Life, random_life
from tests.world.outage import Outage, random_outage


@dataclass(frozen=True, slots=True)
class Setting:
    """What a world is like, whatever happens in it."""

    policy: Policy
    output_grace: timedelta
    horizon: float
    """Seconds in which faults and acts happen. After it, everything works."""
    instances: int
    latency: float | None = None
    """Seconds of each call; None draws each."""
    tick_every: float | None = None
    """Seconds from tick to tick; None draws each pause."""
    plan: BatchPlan | None = None
    """Of the batches in which due jobs are sent; None: a tick asks by itself."""
    events_die: bool = False
    """Whether a process that dies takes all pending events with it."""
    cut_off: float = 0.0
    """The share of runs that the platform cuts off after a second, until the horizon."""
    tick_budget: timedelta = TICK_BUDGET
    """`REQUEST_BUDGET` where a scheduler outside ticks by `POST /api/tick`."""


RANDOM = Setting(
    policy=Policy(
        check_min=timedelta(seconds=30),
        check_max=timedelta(minutes=10),
        job_deadline=timedelta(minutes=90),
        lost_after=timedelta(minutes=10),
        repeat_ticket_after=timedelta(minutes=3),
    ),
    output_grace=timedelta(minutes=10),
    horizon=3600,
    instances=2,
)
SETTING_CLOCKS = 0.15
"""The share of runs in which the app's clock is set once or twice."""
DELETING = 0.15
"""The share of runs in which old jobs are deleted."""
KEEP = 2400.0
"""Seconds: longer than a function may run, as the setting is, and short enough for people to come
back to a job."""
DISCOVERING = 0.3
"""The share of runs in which the app asks GEM for its list."""
BATCHES = replace(RANDOM, plan=BatchPlan(size=2, concurrency=2))


class Deed(StrEnum):
    """What somebody outside does."""

    REGISTER = "register"
    CHECK = "check"
    REDELIVER = "redeliver"
    FORGET = "forget"
    TICK = "tick"
    """A timer that fires beside the timer."""
    OVERWRITE = "overwrite"
    """The output is written anew."""
    END_PROCESS = "end process"
    RESEND = "resend"
    """An operator sends the last manifest to the route `gem-all` again."""
    DROP_ROUTE = "drop-route"
    """An operator gives up this route."""


OF_ROUTES = {Deed.RESEND, Deed.DROP_ROUTE}


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens at a time of its own."""

    at: float
    """Seconds after the start of the world."""
    deed: Deed
    job_run_id: str = ""


@dataclass(frozen=True, slots=True)
class CallFault:
    """What befalls one call of an edge, by its number in the run."""

    call: int
    pick: float | Fault
    """The fault, or from 0 up to 1 which of those that such a call may have."""

    @property
    def is_kill(self) -> bool:
        """Whether it is known to be the end of a process."""
        return self.pick in KILLS

    def __str__(self) -> str:
        """As the command line takes it."""
        return f"{self.call}:{self.pick.name if isinstance(self.pick, Fault) else self.pick}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it has begun."""

    name: str
    """Draws all that is left to chance: how long a call takes, when the timer fires."""
    lives: tuple[Life, ...]
    acts: tuple[Act, ...]
    faults: tuple[CallFault, ...] = ()
    setting: Setting = RANDOM
    outages: tuple[Outage, ...] = ()
    discovers: bool = False
    """Whether the app asks GEM for its list of jobs."""
    keep: float = 0
    """Seconds for which delivered jobs are kept; 0: for ever."""
    routes: tuple[Route, ...] = (DEFAULT_ROUTE,)
    asks_storage: bool = False
    """Whether the app knows the time by storage's answers, as it does outside. If not, each step of
    its machine's clock is a step of all that it reads: a harder world."""
    overture: bool = False
    """Whether GERS ids are looked up in Overture."""

    @property
    def sets_clock(self) -> bool:
        """Whether the app's clock is set meanwhile."""
        return any(fault.pick in CLOCK for fault in self.faults)

    @property
    def later_deadline(self) -> float:
        """Seconds by which a job may come later that never ends, or that must be discovered: our
        clock went back, so its deadline or its creation is later. No other job may wait for that.
        """
        if self.asks_storage or (all(life.ends for life in self.lives) and not self.discovers):
            return 0
        # The clock of a spell goes back at its end, if it was ahead.
        back = {fault: -step for fault, step in STEPS.items()} | SPELLS
        return sum(
            max(back[fault], 0) for each in self.faults for fault in back if fault is each.pick
        )

    def without_one(self) -> Iterator["Plan"]:
        """Every plan that has one thing less."""
        for number in range(len(self.faults)):
            yield replace(self, faults=_but(self.faults, number))
        for number in range(len(self.acts)):
            yield replace(self, acts=_but(self.acts, number))
        for number in range(len(self.outages)):
            yield replace(self, outages=_but(self.outages, number))

    def lines(self) -> Iterator[str]:
        """The plan for a reader."""
        for life in self.lives:
            words = ", ".join(f"{word} from {at:.0f} s" for at, word in life.words)
            yield f"{life.job_run_id} on {life.input_name}: {words}"
            if life.writes:
                written = ", ".join(f"{write.outcome} at {write.at:.0f} s" for write in life.writes)
                yield f"  its output: {written}"
        for act in self.acts:
            yield f"at {act.at:.0f} s: {act.deed} {act.job_run_id}"
        if self.discovers:
            yield "the app discovers jobs"
        if self.keep:
            yield f"delivered jobs are kept for {self.keep:.0f} s"
        if self.overture:
            yield "GERS ids are looked up in Overture"
        if len(self.routes) > 1:
            yield f"routes: {', '.join(route.name for route in self.routes)}"
        if self.asks_storage:
            yield "the app knows storage's clock"
        for outage in self.outages:
            yield f"at {outage.at:.0f} s: {outage}"


def _but[T](items: tuple[T, ...], number: int) -> tuple[T, ...]:
    return items[:number] + items[number + 1 :]


def random_plan(seed: int) -> Plan:
    """The plan of a seed: one to three jobs, a handful of faults, whatever else may happen."""
    random = Random(f"plan {seed}")
    names = [f"job-{letter}" for letter in "abc"[: random.choice((1, 1, 2, 2, 3))]]
    shared = random.random() < 0.5
    lives = tuple(
        random_life(name, "roads.parquet" if shared else f"{name}.parquet", random)
        for name in names
    )
    acts = [Act(random.uniform(0, 120), Deed.REGISTER, name) for name in names]
    is_crowded = random.random() < 0.3
    for _ in range(6 if is_crowded else _few(random, 1)):
        acts += _burst(random, lives, near_end=is_crowded or random.random() < 0.5)
    faults = [CallFault(random.randrange(160), random.random()) for _ in range(_few(random, 4))]
    clocks, asks_storage = Random(f"clock {seed}"), False
    if clocks.random() < SETTING_CLOCKS:
        faults += [
            CallFault(clocks.randrange(160), clocks.choice(list(CLOCK)))
            for _ in range(clocks.choice((1, 2)))
        ]
        asks_storage = clocks.random() < 0.5
    discovery = Random(f"discovery {seed}")
    if discovers := discovery.random() < DISCOVERING:
        found = {name for name in names if discovery.random() < 0.5}
        acts = [act for act in acts if act.deed is not Deed.REGISTER or act.job_run_id not in found]
    return Plan(
        f"seed {seed}",
        lives,
        tuple(sorted(acts, key=lambda act: act.at)),
        tuple(sorted(faults, key=lambda fault: fault.call)),
        BATCHES if random.random() < 0.3 else RANDOM,
        tuple(random_outage(lives[0].settled_by, random) for _ in range(random.random() < 0.25)),
        discovers,
        KEEP if Random(f"keep {seed}").random() < DELETING else 0,
        asks_storage=asks_storage,
    )


_BURSTS = (
    *((deed,) for deed in Deed if deed not in OF_ROUTES),
    (Deed.REDELIVER, Deed.TICK),
    (Deed.REDELIVER, Deed.REDELIVER),
    (Deed.REDELIVER, Deed.OVERWRITE, Deed.REDELIVER),
    (Deed.FORGET, Deed.REGISTER),
    (Deed.FORGET, Deed.REGISTER, Deed.REGISTER),
    (Deed.FORGET, Deed.REGISTER, Deed.FORGET, Deed.REGISTER),
    (Deed.REGISTER, Deed.FORGET, Deed.FORGET, Deed.REGISTER),
    (Deed.FORGET, Deed.TICK, Deed.REGISTER),
    (Deed.OVERWRITE, Deed.REDELIVER, Deed.OVERWRITE, Deed.REDELIVER),
)
"""What is apt to meet."""


def _burst(random: Random, lives: tuple[Life, ...], *, near_end: bool) -> Iterator[Act]:
    """A few acts about one job, within seconds or minutes."""
    life = random.choice(lives)
    at = random.uniform(0, RANDOM.horizon)
    if near_end:
        at = life.settled_by + random.uniform(0, 400)
    within = random.choice((1, 8, 300))
    deeds = random.choice(_BURSTS)
    for deed, after in zip(deeds, sorted(random.random() for _ in deeds), strict=True):
        yield Act(at + within * after, deed, life.job_run_id)


def _few(random: Random, mean: float) -> int:
    return min(int(random.expovariate(1 / (mean + 0.5))), 12)
