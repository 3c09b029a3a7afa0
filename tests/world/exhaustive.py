"""Every single kill point and every pair of them, for one job and for two on the same input.

A kill leaves only what outlives the process. So two points between which nothing was written,
started or ended leave the same world, and one of them stands for both: that is what `kills` does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from gem_core.watch.schedule import Policy
from tests.builders import DEFAULT_ROUTE
from tests.world.edges import CallStates
from tests.world.faults import CLOCK, KILLS, Fault, possible
from tests.world.gem import OUTCOMES, plain_life
from tests.world.outage import Outage, Part
from tests.world.plan import BATCHES, Act, CallFault, Deed, Plan, Setting
from tests.world.routes import ALL

SETTING = Setting(
    policy=Policy(
        check_min=timedelta(seconds=30),
        check_max=timedelta(minutes=2),
        job_deadline=timedelta(minutes=3),
        lost_after=timedelta(minutes=2),
        repeat_ticket_after=timedelta(minutes=2),
    ),
    output_grace=timedelta(minutes=2),
    horizon=0,
    instances=1,
    latency=0.05,
    tick_every=60,
)

ADDED_AT = 60.52
"""Seconds at which the first tick adds a discovered job."""


LATE = {
    "forget and register while a slow call ends": (
        Act(515, Deed.FORGET, "job-a"),
        Act(520, Deed.REGISTER, "job-a"),
    ),
    "overwrite and redeliver while a slow call ends": (
        Act(500, Deed.OVERWRITE, "job-a"),
        Act(521.8, Deed.REDELIVER, "job-a"),
    ),
}
"""The last calls of the delivery are at 122 s. One that takes minutes ends at 522 s."""


@dataclass(frozen=True, slots=True)
class Case:
    """One undisturbed life, into which the kills go."""

    name: str
    plan: Plan

    @property
    def jobs(self) -> int:
        """How many."""
        return len(self.plan.lives)


def cases() -> Iterator[Case]:
    """One job and two, in every outcome; tickets survive the process that holds them, or die."""
    for events_die in (False, True):
        setting = replace(SETTING, events_die=events_die)
        events = "events die" if events_die else "events survive"
        for outcome in OUTCOMES:
            yield Case(f"1 job, {outcome}, {events}", _one(outcome, setting))
            yield Case(f"2 jobs, {outcome}, {events}", _two(outcome, setting))
        in_batches = replace(setting, plan=BATCHES.plan)
        yield Case(f"1 job, valid, in batches, {events}", _one("valid", in_batches))
        yield Case(f"1 job, valid, two routes, {events}", _routed(setting))
        looking_up = replace(_one("valid", setting, Deed.REDELIVER), overture=True)
        yield Case(f"1 job, valid, looked up, then redeliver, {events}", looking_up)
        for deeds in ((Deed.REDELIVER,), (Deed.FORGET, Deed.REGISTER)):
            name = " and ".join(deeds)
            yield Case(f"1 job, valid, then {name}, {events}", _one("valid", setting, *deeds))
        kept = replace(_one("valid", setting), keep=240.0)
        yield Case(f"1 job, valid, then deleted, {events}", kept)
        yield from _discovered(setting, events)
    for name, acts in LATE.items():
        one = _one("valid", SETTING)
        yield Case(f"1 job, valid, then {name}", replace(one, acts=(*one.acts, *acts)))


def _discovered(setting: Setting, events: str) -> Iterator[Case]:
    """A job that nobody registered: GEM's list has it. It may be removed at the same moment."""
    for what, acts in (
        ("", ()),
        (", forget while it is added", (Act(ADDED_AT, Deed.FORGET, "job-a"),)),
        (", register while it is added", (Act(ADDED_AT, Deed.REGISTER, "job-a"),)),
        (", then forget", (Act(130, Deed.FORGET, "job-a"),)),
        (
            ", then forget and register",
            (Act(130, Deed.FORGET, "job-a"), Act(140, Deed.REGISTER, "job-a")),
        ),
    ):
        life = plain_life("job-a", "roads.parquet", "valid", 100)
        plan = Plan("discovered", (life,), acts, setting=setting, discovers=True)
        yield Case(f"1 discovered job{what}, {events}", plan)


def _one(outcome: str, setting: Setting, *deeds: Deed) -> Plan:
    """Detected by the tick at 120 s, then whatever else is asked for."""
    life = plain_life("job-a", "roads.parquet", outcome, 100)
    later = tuple(Act(130 + 10 * number, deed, "job-a") for number, deed in enumerate(deeds))
    return Plan("one", (life,), (Act(1, Deed.REGISTER, "job-a"), *later), setting=setting)


def _routed(setting: Setting) -> Plan:
    """One of two queues is away for two minutes; later the manifest is sent to it again."""
    plan = _one("valid", setting)
    again = Act(900, Deed.RESEND, "job-a")
    return replace(
        plan,
        acts=(*plan.acts, again),
        routes=(DEFAULT_ROUTE, ALL),
        outages=(Outage(90, 120, Part.ROUTE),),
    )


def _two(outcome: str, setting: Setting) -> Plan:
    """The second job overwrites the first one's output while that is being audited."""
    first = plain_life("job-a", "roads.parquet", "valid", 100)
    second = plain_life("job-b", "roads.parquet", outcome, 122.72)
    acts = Act(1, Deed.REGISTER, "job-a"), Act(2, Deed.REGISTER, "job-b")
    return Plan("two", (first, second), acts, setting=setting)


def kills(states: Mapping[int, CallStates], *, after: int = -1) -> Iterator[CallFault]:
    """Kill points beyond a call, one for each state of the world that a kill may leave."""
    seen = set()
    for number, call in sorted(states.items()):
        for kill, version in ((Fault.KILL_BEFORE, call.before), (Fault.KILL_AFTER, call.after)):
            if number > after and version not in seen:
                seen.add(version)
                yield CallFault(number, kill)


def troubles(states: Mapping[int, CallStates]) -> Iterator[CallFault]:
    """Every fault of every call that is no kill."""
    for number, call in sorted(states.items()):
        for fault in possible(call.call):
            if fault not in KILLS:
                yield CallFault(number, fault)


def clock_steps(states: Mapping[int, CallStates]) -> Iterator[CallFault]:
    """Every step of our clock before every call; `--part clocks` runs them."""
    for number in sorted(states):
        for fault in CLOCK:
            yield CallFault(number, fault)


def with_faults(plan: Plan, *faults: CallFault) -> Plan:
    """The same life, disturbed."""
    return replace(plan, faults=faults)
