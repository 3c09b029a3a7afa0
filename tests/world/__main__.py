"""`python -m tests.world`: the campaign. Exit code 1 when any promise was broken."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing import get_context

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.world import outdated
from tests.world.audit import REAL, TINY, Auditing
from tests.world.campaign import (
    Depth,
    Task,
    all_cases,
    clock_tasks,
    exhaustive_tasks,
    quiet,
    random_tasks,
    run,
)
from tests.world.exhaustive import with_faults
from tests.world.faults import Fault
from tests.world.hybrid_runs import breaches
from tests.world.plan import CallFault, Plan
from tests.world.routes import plan_of
from tests.world.sabotage import SABOTAGES
from tests.world.shrink import shrunk
from tests.world.tally import Tally
from tests.world.world import World

RUNS = 40_000
QUICK_RUNS = 400
QUICK_CASES = {
    "1 job, failed, events die": Depth.PAIRS,
    "1 job, valid, looked up, then redeliver, events survive": Depth.PAIRS,
    "2 jobs, valid, events survive": Depth.ONE,
}
"""Two jobs have pairs of kills by the thousand."""
HYBRIDS = 100_000
QUICK_HYBRIDS = 300
SHOWN = 10


def main(words: Sequence[str] | None = None) -> int:
    """Run what is asked for."""
    arguments = _arguments(words)
    with quiet():
        if arguments.seed is not None or arguments.case:
            return _replay(arguments)
        if arguments.sabotage == "all":
            return _all_sabotages(arguments)
        return _campaign(arguments)


def _campaign(arguments: argparse.Namespace) -> int:
    """All runs that are asked for, and what they found."""
    began = time.monotonic()
    tally = _run(_tasks(arguments), arguments)
    Console(width=110).print(tally.table())
    wrong = [] if arguments.sabotage else _hybrids(arguments) + _outdated(arguments)
    took = time.monotonic() - began
    print(f"{took:.0f} s, {arguments.workers} processes, {tally.cpu_seconds:.0f} s of CPU")
    for command, breach in tally.failing[:SHOWN]:
        sabotage = f" --sabotage {arguments.sabotage}" if arguments.sabotage else ""
        print(f'BREACH  make chaos ARGS="{command}{sabotage}"\n        {breach}')
    return 1 if tally.breaches or wrong else 0


def _hybrids(arguments: argparse.Namespace) -> list[str]:
    """Take hybrids of GEM's generations through the pure core."""
    count = arguments.hybrids
    if count is None:
        count = QUICK_HYBRIDS if arguments.quick else HYBRIDS
    chunks = [range(at, min(at + 1000, count)) for at in range(0, count, 1000)]
    with get_context("forkserver").Pool(arguments.workers) as pool:
        wrong = [breach for found in pool.imap_unordered(breaches, chunks) for breach in found]
    print(f"{count:,} hybrids of GEM's generations, {len(wrong)} broken promises")
    print(*(f"BREACH  {breach}" for breach in wrong[:SHOWN]), sep="\n", end="")
    return wrong


def _outdated(arguments: argparse.Namespace) -> list[str]:
    """Tell the listeners of many jobs that a new Overture release outdates them."""
    jobs = arguments.outdated
    if jobs is None:
        jobs = outdated.QUICK_JOBS if arguments.quick else outdated.JOBS
    if not jobs:
        return []
    lines, wrong = outdated.campaign(jobs)
    print(*lines, sep="\n")
    print(*(f"BREACH  {breach}" for breach in wrong[:SHOWN]), sep="\n", end="")
    return wrong


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.world",
        description="Everything around the app in virtual time, and all that may go wrong.",
        epilog="docs/chaos.md says how it works.",
    )
    parser.add_argument("--runs", type=int, help=f"random runs, seeds from 0 on ({RUNS:,})")
    parser.add_argument(
        "--hybrids", type=int, help=f"hybrids of GEM's generations, seeds from 0 on ({HYBRIDS:,})"
    )
    parser.add_argument(
        "--outdated", type=int, help=f"delivered jobs that a new release is held against "
        f"({outdated.JOBS:,})"
    )  # fmt: skip
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_RUNS:,} seeds, and only three exhaustive cases",
    )
    parser.add_argument(
        "--part",
        choices=["random", "exhaustive", "clocks"],
        help="only this; clocks: each step of our clock before each call (random and exhaustive; "
        "with --deep all three)",
    )
    parser.add_argument("--only", default="", help="only the cases with this text in their name")
    parser.add_argument(
        "--deep",
        action="store_true",
        help="one job: each kill follows each other fault; with --part clocks each step",
    )
    parser.add_argument("--workers", type=int, default=os.process_cpu_count(), help="(%(default)s)")
    parser.add_argument("--seed", type=int, help="one random run again, with its whole trace")
    parser.add_argument("--real-audit", action="store_true", help="for --seed: over real files")
    parser.add_argument("--case", choices=all_cases(), metavar="NAME", help="one exhaustive run")
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="CALL:KIND",
        help=f"what befalls a call of --case; kinds are {', '.join(Fault.__members__)}",
    )  # fmt: skip
    parser.add_argument(
        "--sabotage", choices=[*SABOTAGES, "all"], default="",
        help="break the app first, in one way or in each: the campaign must find it",
    )  # fmt: skip
    return parser.parse_args(words)


def _fault(text: str) -> CallFault:
    call, _, kind = text.partition(":")
    try:
        return CallFault(int(call), Fault[kind])
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no CALL:KIND, such as 12:KILL_AFTER"
        ) from None


def _tasks(arguments: argparse.Namespace) -> list[Task]:
    runs = QUICK_RUNS if arguments.quick else RUNS
    tasks: list[Task] = []
    all_ = dict.fromkeys(all_cases(), Depth.DEEP if arguments.deep else Depth.PAIRS)
    depths = QUICK_CASES if arguments.quick else all_
    cases = [name for name in depths if arguments.only in name]
    if arguments.part in {None, "random"}:
        runs = runs if arguments.runs is None else arguments.runs
        tasks += random_tasks(runs, sabotage=arguments.sabotage)
    if arguments.part in {None, "exhaustive"}:
        for name in cases:
            tasks += exhaustive_tasks([name], sabotage=arguments.sabotage, depth=depths[name])
    if arguments.part == "clocks" or (arguments.deep and not arguments.part):
        depth = Depth.DEEP if arguments.deep and arguments.part else Depth.ONE
        tasks += clock_tasks(cases, sabotage=arguments.sabotage, depth=depth)
    return tasks


def _run(tasks: list[Task], arguments: argparse.Namespace) -> Tally:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("runs", total=len(tasks))

        def on_tally(tally: Tally) -> bool:
            shown = f"{sum(tally.runs.values()):,} runs, {tally.breaches} breaches"
            progress.update(bar, advance=1, description=shown)
            return len(tally.failing) < SHOWN

        return run(tasks, workers=arguments.workers, on_tally=on_tally)


def _replay(arguments: argparse.Namespace) -> int:
    """Tell one run line by line; when it fails, what is left of it when it is made small."""
    with ExitStack() as stack:
        if arguments.sabotage:
            stack.enter_context(SABOTAGES[arguments.sabotage].off())
        if arguments.case:
            plan = with_faults(all_cases()[arguments.case].plan, *arguments.fault)
        else:
            plan = plan_of(arguments.seed)
        auditing = REAL if arguments.real_audit else TINY
        if not _printed_run(plan, auditing):
            return 0
        small = shrunk(plan, lambda each: bool(World(each, auditing=auditing).run().breaches))
        print(
            f"\n--- the same, without {len(plan.faults) - len(small.faults)} of {len(plan.faults)} "
            f"faults and {len(plan.acts) - len(small.acts)} of {len(plan.acts)} acts\n"
        )
        _printed_run(small, auditing)
    return 1


def _printed_run(plan: Plan, auditing: Auditing) -> tuple[str, ...]:
    print(*plan.lines(), sep="\n")
    breaches = World(plan, auditing=auditing, tell=print).run().breaches
    print(*(f"BREACH {breach}" for breach in breaches), sep="\n")
    return breaches


def _all_sabotages(arguments: argparse.Namespace) -> int:
    """Break the app in each way, one after the other: the short form must find all of them."""
    table = Table(
        title="What the campaign finds when the app is broken on purpose", title_justify="left"
    )
    for heading in ("sabotage", "what is off", "runs", "found by", "breach"):
        table.add_column(heading)
    missed = 0
    for sabotage in SABOTAGES.values():
        if sabotage.case:
            tasks = exhaustive_tasks([sabotage.case], sabotage=sabotage.name, depth=Depth.ONE)
        else:
            tasks = random_tasks(arguments.runs or QUICK_RUNS * 10, sabotage=sabotage.name)
        tally = _run([*tasks], arguments)
        missed += not tally.failing
        command, breach = tally.failing[0] if tally.failing else ("NOT FOUND", "")
        runs = f"{sum(tally.runs.values()):,}"
        table.add_row(sabotage.name, sabotage.what, runs, command, breach)
    Console(width=140).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
