"""The campaign: all runs of both parts, on all cores."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from multiprocessing import get_context
from time import process_time

from tests.world.audit import REAL
from tests.world.exhaustive import Case, cases, clock_steps, kills, troubles, with_faults
from tests.world.plan import CallFault
from tests.world.routes import plan_of
from tests.world.sabotage import SABOTAGES
from tests.world.tally import Tally
from tests.world.world import Result, World

SEEDS_A_TASK = 100
REAL_AUDIT_EVERY = 100
"""Seeds: these run a second time, with the real audit over real files."""


class Depth(StrEnum):
    """What the exhaustive part puts together."""

    ONE = "one fault"
    PAIRS = "two kills too"
    DEEP = "another fault and a kill too"


@dataclass(frozen=True, slots=True)
class Task:
    """Some runs: of a range of seeds, or all that begin with one fault of a case."""

    seeds: tuple[int, int] = (0, 0)
    case: str = ""
    first: CallFault | None = None
    sabotage: str = ""
    depth: Depth = Depth.PAIRS


@cache
def all_cases() -> dict[str, Case]:
    """By name."""
    return {case.name: case for case in cases()}


def random_tasks(runs: int, *, sabotage: str = "") -> Iterator[Task]:
    """Seeds from 0 on."""
    for start in range(0, runs, SEEDS_A_TASK):
        yield Task(seeds=(start, min(start + SEEDS_A_TASK, runs)), sabotage=sabotage)


def exhaustive_tasks(
    names: Iterable[str], *, sabotage: str = "", depth: Depth = Depth.PAIRS
) -> Iterator[Task]:
    """Every case, undisturbed, and then with every first fault but the steps of our clock."""
    for name in names:
        yield Task(case=name, sabotage=sabotage)
        states = World(all_cases()[name].plan, count_states=True).run().states
        for first in (*kills(states), *troubles(states)):
            yield Task(case=name, first=first, sabotage=sabotage, depth=depth)


def clock_tasks(
    names: Iterable[str], *, sabotage: str = "", depth: Depth = Depth.ONE
) -> Iterator[Task]:
    """Every case with every step of our clock before every call."""
    for name in names:
        states = World(all_cases()[name].plan, count_states=True).run().states
        for step in clock_steps(states):
            yield Task(case=name, first=step, sabotage=sabotage, depth=depth)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the app's events, which would fill the screen."""
    logger = logging.getLogger("gem_core")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def do(task: Task) -> Tally:
    """Run a task."""
    tally = Tally()
    began = process_time()
    with ExitStack() as stack:
        stack.enter_context(quiet())
        if task.sabotage:
            stack.enter_context(SABOTAGES[task.sabotage].off())
        if task.case:
            _exhaust(tally, all_cases()[task.case], task.first, task.depth)
        for seed in range(*task.seeds):
            plan = plan_of(seed)
            tally.add("random", f"--seed {seed}", World(plan).run())
            if seed % REAL_AUDIT_EVERY == 0:
                result = World(plan, auditing=REAL).run()
                tally.add("random, with the real audit", f"--seed {seed} --real-audit", result)
    tally.cpu_seconds = process_time() - began
    return tally


def _exhaust(tally: Tally, case: Case, first: CallFault | None, depth: Depth) -> None:
    """The base run of a case, or all that begin with this fault."""
    if first is None:
        states = _one(tally, case).states
        tally.count("a kill", points=2 * len(states), states=len(list(kills(states))))
        return
    states = _one(tally, case, first).states
    if (depth is Depth.DEEP and case.jobs == 1) or (first.is_kill and depth is not Depth.ONE):
        seconds = list(kills(states, after=first.call))
        tally.count(
            "two kills" if first.is_kill else "another fault and a kill",
            points=2 * sum(number > first.call for number in states),
            states=len(seconds),
        )
        for second in seconds:
            _one(tally, case, first, second)


def _one(tally: Tally, case: Case, *faults: CallFault) -> Result:
    plan = with_faults(case.plan, *faults)
    result = World(plan, count_states=len(faults) <= 1).run()
    shown = "".join(f" --fault {fault}" for fault in faults)
    tally.add("exhaustive", f'--case "{case.name}"{shown}', result)
    return result


def run(
    tasks: Iterable[Task], *, workers: int, on_tally: Callable[[Tally], bool] = lambda _: True
) -> Tally:
    """Do all tasks; `on_tally` sees the sum after each and says whether to go on."""
    total = Tally()
    with ExitStack() as stack:
        tallies: Iterator[Tally] = map(do, tasks)
        if workers > 1:
            pool = stack.enter_context(get_context("forkserver").Pool(workers))
            tallies = pool.imap(do, tasks)
        for tally in tallies:
            total.merge(tally)
            if not on_tally(total):
                break
    return total
