"""`python -m bench.process`: what an audit in a child costs, compared with its goals.

CPU time is the figure to trust. Contestants take turns, so that a noisy minute hits all of them;
the median is shown. The floor decodes the four columns in one thread; all else uses one thread too.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.deployed import AS_DEPLOYED
from bench.networks import BIG_GROUPS, Order, write_network
from gem_core.audit.child.engine import Engine
from gem_core.audit.child.limits import Limits
from gem_core.audit.child.self_test import JOB, built_in_file
from gem_core.audit.options import AuditOptions
from gem_core.audit.reading.source import open_file
from gem_core.outcome import Outcome

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "artifacts" / "bench"
OPTIONS = AuditOptions(two_threads=False, with_input=False)
SMALL_ROWS = 15_000
"""A file of about 1 MB."""
WARM = 20
"""Audits of it in one child that are measured together: the system counts in hundredths."""

BARE = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds."""

    child: float
    parent: float

    @property
    def total(self) -> float:
        """Of both processes."""
        return self.child + self.parent


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.process",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="number of rows (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (%(default)s)")
    asked = parser.parse_args()
    FILES.mkdir(parents=True, exist_ok=True)
    for order, goal in ((Order.SORTED, 1.15), (Order.DENSE, 1.15), (Order.SPARSE, 1.6)):
        _compare_with_floor(_file(asked.rows, order), order, goal, asked.rounds)
    _compare_commands(_file(asked.rows, Order.SORTED), asked.rounds)
    small = _file(SMALL_ROWS, Order.SORTED)
    cold = statistics.median(_cold(small).total for _ in range(asked.rounds))
    warm = statistics.median(_warm(small).total for _ in range(asked.rounds))
    print(f"cold child, with an audit of {small.stat().st_size / 1e6:.1f} MB: {cold * 1e3:.0f} ms")
    _goal("warm audit of it, ms", warm * 1e3, 60)
    print(f"{os.process_cpu_count()} processors; load at the end {os.getloadavg()[0]:.1f}")
    return 0


def _compare_with_floor(path: Path, order: Order, goal: float, rounds: int) -> None:
    floors, alone, costs = [], [], []
    for _ in range(rounds):
        floors.append(_apart("floor", path))
        alone.append(_apart("audit", path))
        costs.append(_in_child(path))
    floor, one = statistics.median(floors), statistics.median(alone)
    both = statistics.median(cost.total for cost in costs)
    parent = statistics.median(cost.parent for cost in costs)
    rows = f"{path.name}: floor {floor:.2f} s"
    print(f"{rows}, in one process {one:.2f}, child and parent {both:.2f}, parent {parent:.3f}")
    _goal(f"{order}: audit in one process to the floor", one / floor, goal)
    _goal(f"{order}: serving, parent to both in %", parent / both * 100, 5)


def _compare_commands(path: Path, rounds: int) -> None:
    """The command in a bare shell, with the variables of the app, and in one process."""
    ways: dict[str, tuple[Mapping[str, str], list[str]]] = {
        "bare": (BARE, []),
        "as in the app": (BARE | AS_DEPLOYED, []),
        "in process": (BARE | AS_DEPLOYED, ["--in-process"]),
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (environment, more) in ways.items():
            found[way].append(_command(path, environment, more))
    medians = {way: statistics.median(each) for way, each in found.items()}
    print("command: " + ", ".join(f"{way} {cpu:.2f} s" for way, cpu in medians.items()))
    _goal("bare shell to the variables of the app", medians["bare"] / medians["as in the app"], 1.0)
    print(f"  bare shell to one process: {medians['bare'] / medians['in process']:.2f}")


def _goal(what: str, value: float, goal: float) -> None:
    # Two digits: a hundredth is noise.
    print(f"  {what}: {value:.2f} (goal {goal:g}: {'met' if value < goal + 0.005 else 'missed'})")


def _file(rows: int, order: Order) -> Path:
    return write_network(FILES / f"{rows}-{order}.parquet", rows, order, BIG_GROUPS)


def _apart(name: str, path: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.measure", name, str(path)],
        cwd=ROOT, env=os.environ | AS_DEPLOYED, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(json.loads(done.stdout.splitlines()[-1])["cpu"])


def _command(path: Path, environment: Mapping[str, str], more: list[str]) -> float:
    before = _used(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "gem_core", "audit", str(path), *more]
    subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=True)
    return _used(resource.RUSAGE_CHILDREN) - before


def _in_child(path: Path) -> Cost:
    """One audit in a child that is warm."""
    with Engine(Limits(1 << 30), os.environ) as engine:
        engine.audit(built_in_file(), JOB, input_source=None)
        return _cost(engine, lambda: _audit(engine, path))


def _warm(path: Path) -> Cost:
    """One of many audits in one child."""
    with Engine(Limits(1 << 30), os.environ) as engine:
        _audit(engine, path)
        cost = _cost(engine, lambda: _audit(engine, path, times=WARM))
        return Cost(cost.child / WARM, cost.parent / WARM)


def _cold(path: Path) -> Cost:
    """The first audit in a child, with its start."""
    parent = _used(resource.RUSAGE_SELF)
    with closing(Engine(Limits(1 << 30), os.environ)) as engine:
        _audit(engine, path)
        return Cost(_child(engine), _used(resource.RUSAGE_SELF) - parent)


def _cost(engine: Engine, work: Callable[[], object]) -> Cost:
    child, parent = _child(engine), _used(resource.RUSAGE_SELF)
    work()
    return Cost(_child(engine) - child, _used(resource.RUSAGE_SELF) - parent)


def _audit(engine: Engine, path: Path, *, times: int = 1) -> None:
    for _ in range(times):
        found = engine.audit(open_file(path), JOB, input_source=None, options=OPTIONS)
        if found.outcome is Outcome.INVALID:
            raise ValueError(f"a good file is invalid: {found.report['checks']['notPassed']}")


def _child(engine: Engine) -> float:
    """CPU seconds of the child so far."""
    usage = engine._child.usage() if engine._child else None  # noqa: SLF001 - to measure it
    if usage is None:
        raise ValueError("the child did not stay")
    return usage.cpu_seconds


def _used(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    begun = time.perf_counter()
    code = main()
    print(f"{time.perf_counter() - begun:.0f} s")
    sys.exit(code)
