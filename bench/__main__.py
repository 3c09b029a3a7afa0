"""`python -m bench`: writes files, measures in rounds, prints a table of ratios to the floor.

The floor decodes the four columns in one thread and does nothing else. Every run is a process of
its own; contestants take turns, so that a noisy minute hits all of them; medians are shown. CPU
time is the figure to trust: other processes on the machine change wall time and peak memory.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.comparing import COMPARERS, write_input
from bench.contestants import CONTESTANTS
from bench.deployed import AS_DEPLOYED
from bench.networks import BIG_GROUPS, SMALL_GROUPS, Layout, Order, write_network

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "artifacts" / "bench"
LAYOUTS = {layout.compression: layout for layout in (BIG_GROUPS, SMALL_GROUPS)}
BYTES_A_ROW = 150
"""Bytes for each row of the larger layout, rounded up."""

ORDERS = {
    "pandera": [Order.SORTED],
    "great_expectations": [Order.SORTED],
    "audit_ids_in_memory": [Order.SPARSE, Order.TEXT],
}
"""The orders for these contestants. The slow ones run once, because the order does not matter to
them. `ours_ids_held` runs only for the orders in which the audit must keep ids in memory."""

QUICK = ["floor", "audit", "duckdb"]

ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
TOOLS = {"duckdb", "polars", "pandera", "great_expectations"}
"""Measured with their own settings; the floor and the audit with those of the deployed app."""

type Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """The contestants, orders and layouts to measure."""

    rows: int
    rounds: int
    names: list[str]
    orders: list[Order]
    layouts: list[Layout]
    beside_input: bool


def main() -> int:
    """Measure and print the tables."""
    plan = _plan()
    table = Table(
        title=f"{plan.rows:,} rows, medians of {plan.rounds}; ratios to the floor, MiB over imports"
    )
    for heading in ("layout", "ids", "contestant", "CPU s", "CPU", "wall", "MiB", "CPU to audit"):
        table.add_column(heading, justify="left" if heading.isalpha() else "right")
    with Progress(console=Console(stderr=True)) as progress:
        for layout in plan.layouts:
            for order in plan.orders:
                path = _file(plan.rows, order, layout, progress)
                names = [name for name in plan.names if order in ORDERS.get(name, Order)]
                task = progress.add_task(f"{layout}, {order}", total=plan.rounds * len(names))
                found: dict[str, list[Figures]] = {name: [] for name in names}
                for _ in range(plan.rounds):
                    for name in names:
                        progress.update(task, description=f"{layout}, {order}, {name}")
                        found[name].append(_measure(name, path))
                        progress.advance(task)
                _add_rows(table, str(layout), order, found)
        beside = _compared(plan, progress) if plan.beside_input else ""
    Console(width=100).print(table, beside)
    print(f"{os.process_cpu_count()} processors; load at the end {os.getloadavg()[0]:.1f}")
    return 0


def _compared(plan: Plan, progress: Progress) -> Table:
    """The table of comparisons with the input, with ids in order."""
    table = Table(
        title=f"beside its input, {plan.rows:,} rows, medians of {plan.rounds}; ratios to both"
    )
    for heading in ("layout", "read", "CPU", "wall", "peak MiB"):
        table.add_column(heading, justify="left" if heading.isalpha() else "right")
    for layout in plan.layouts:
        path = _file(plan.rows, Order.SORTED, layout, progress)
        write_input(path)
        task = progress.add_task(f"{layout}, beside its input", total=plan.rounds)
        found: dict[str, list[Figures]] = {name: [] for name in COMPARERS}
        for _ in range(plan.rounds):
            for name in COMPARERS:
                found[name].append(_measure(name, path))
            progress.advance(task)
        medians = _medians(found)
        for name, figures in medians.items():
            ratios = (f"{figures[key] / medians['both'][key]:.2f}" for key in ("cpu", "wall"))
            table.add_row(str(layout), name, *ratios, f"{figures['peak']:.0f}")
    return table


def _plan() -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="1 M rows, two orders, 3 rounds; takes a minute"
    )
    parser.add_argument(
        "--rows", type=_rows, default="10M", help="number of rows, such as 50M (%(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds (%(default)s)")
    parser.add_argument("--only", nargs="+", default=list(CONTESTANTS), choices=CONTESTANTS)
    parser.add_argument("--without", nargs="+", default=[], choices=CONTESTANTS)
    parser.add_argument("--ids", nargs="+", default=list(Order), choices=list(Order))
    parser.add_argument("--layouts", nargs="+", default=list(LAYOUTS), choices=LAYOUTS)
    parser.add_argument(
        "--no-input", action="store_true", help="omit the table of comparisons with the input"
    )
    asked = parser.parse_args()
    orders, layouts = (
        [Order(order) for order in asked.ids],
        [LAYOUTS[name] for name in asked.layouts],
    )
    if asked.quick:
        return Plan(1_000_000, 3, QUICK, [Order.SORTED, Order.SPARSE], layouts, beside_input=False)
    chosen = {"floor", "audit"} | (set(asked.only) - set(asked.without))
    return Plan(
        rows=asked.rows,
        rounds=asked.rounds,
        names=[name for name in CONTESTANTS if name in chosen],
        orders=orders,
        layouts=layouts,
        beside_input=not asked.no_input,
    )


def _rows(text: str) -> int:
    return int(float(text.rstrip("kM")) * {"k": 1000, "M": 1_000_000}.get(text[-1:], 1))


def _file(rows: int, order: Order, layout: Layout, progress: Progress) -> Path:
    FILES.mkdir(parents=True, exist_ok=True)
    name = f"{rows}-{order}-{layout.compression}-{layout.group_rows}.parquet"
    if not (FILES / name).exists():
        if shutil.disk_usage(FILES).free < rows * BYTES_A_ROW:
            sys.exit(
                f"{FILES} has no room for {rows * BYTES_A_ROW / 1e9:.0f} GB: "
                "remove files from it, or take fewer --rows"
            )
        progress.console.print(f"making {name}")
    return write_network(FILES / name, rows, order, layout)


def _measure(name: str, path: Path) -> Figures:
    done = subprocess.run(
        [sys.executable, "-m", "bench.measure", name, str(path)],
        cwd=ROOT,
        env=os.environ | ONE_THREAD | ({} if name in TOOLS else AS_DEPLOYED),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{name} failed on {path.name}:\n{done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _medians(found: dict[str, list[Figures]]) -> dict[str, Figures]:
    return {
        name: {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
        for name, rounds in found.items()
    }


def _add_rows(table: Table, layout: str, order: Order, found: dict[str, list[Figures]]) -> None:
    medians = _medians(found)
    base = medians["floor"]
    for name, figures in medians.items():
        table.add_row(
            layout,
            str(order),
            name,
            f"{figures['cpu']:.2f}",
            f"{figures['cpu'] / base['cpu']:.2f}",
            f"{figures['wall'] / base['wall']:.2f}",
            f"{figures['peak']:.0f}",
            f"{figures['cpu'] / medians['audit']['cpu']:.2f}",
        )
    table.add_section()


if __name__ == "__main__":
    sys.exit(main())
