"""`python -m devkit.bench`: files, rounds, and a table of ratios to the floor."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from devkit.bench.comparing import COMPARERS, write_given
from devkit.bench.contestants import CONTESTANTS
from devkit.bench.networks import BIG_GROUPS, SMALL_GROUPS, Layout, Order, write_network

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ROOT / "artifacts" / "bench"
SLOW = {"pandera", "great_expectations"}
"""Only measured on ids in order: they take minutes, and say the same for every order."""

ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
SORT = {"NPY_DISABLE_CPU_FEATURES": "X86_V4"}
"""As the deployed app sets it (docs/decisions/0020-numpy-for-the-audit.md)."""

type Figures = dict[str, float]


def main() -> int:
    """Measure; the contestants take turns, so that a noisy minute hits all of them."""
    parser = argparse.ArgumentParser(prog="python -m devkit.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 M rows, three contestants")
    parser.add_argument("--rows", type=int, default=10_000_000, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--without", nargs="*", default=[], choices=CONTESTANTS)
    parser.add_argument("--ids", nargs="+", default=list(Order), choices=list(Order))
    arguments = parser.parse_args()
    rows, rounds = arguments.rows, arguments.rounds
    names = [name for name in CONTESTANTS if name not in arguments.without]
    if arguments.quick:
        rows, rounds, names = 1_000_000, 3, ["floor", "ours", "duckdb"]
    orders = [Order(order) for order in arguments.ids]
    table = Table(
        title=f"{rows:,} rows, medians of {rounds}; ratios to the floor, MiB over imports"
    )
    for heading in ("layout", "ids", "contestant", "CPU", "wall", "peak MiB", "CPU to ours"):
        table.add_column(heading, justify="left" if heading.isalpha() else "right")
    console = Console(width=100)
    with Progress(console=Console(stderr=True)) as progress:
        for layout in (BIG_GROUPS, SMALL_GROUPS):
            for order in orders:
                task = progress.add_task(f"{layout}, {order}", total=rounds)
                path = _file(rows, order, layout)
                here = [name for name in names if name not in SLOW or order is Order.SORTED]
                found: dict[str, list[Figures]] = {name: [] for name in here}
                for _ in range(rounds):
                    for name in here:
                        found[name].append(_measure(name, path))
                    progress.advance(task)
                _add_rows(table, str(layout), order, found)
    console.print(table)
    console.print(_compared(rows, rounds))
    return 0


def _compared(rows: int, rounds: int) -> Table:
    """A table of comparing with the input; ids in order."""
    table = Table(title=f"beside its input, {rows:,} rows, medians of {rounds}; ratios to both")
    for heading in ("layout", "read", "CPU", "wall", "peak MiB"):
        table.add_column(heading, justify="left" if heading.isalpha() else "right")
    for layout in (BIG_GROUPS, SMALL_GROUPS):
        path = _file(rows, Order.SORTED, layout)
        write_given(path)
        found: dict[str, list[Figures]] = {name: [] for name in COMPARERS}
        for _ in range(rounds):
            for name in COMPARERS:
                found[name].append(_measure(name, path))
        medians = _medians(found)
        for name, figures in medians.items():
            ratios = (f"{figures[key] / medians['both'][key]:.2f}" for key in ("cpu", "wall"))
            table.add_row(str(layout), name, *ratios, f"{figures['peak']:.0f}")
    return table


def _file(rows: int, order: Order, layout: Layout) -> Path:
    FILES.mkdir(parents=True, exist_ok=True)
    name = f"{rows}-{order}-{layout.compression}-{layout.group_rows}.parquet"
    return write_network(FILES / name, rows, order, layout)


def _measure(name: str, path: Path) -> Figures:
    done = subprocess.run(
        [sys.executable, "-m", "devkit.bench.measure", name, str(path)],
        cwd=ROOT,
        env=os.environ | ONE_THREAD | SORT,
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
            f"{figures['cpu'] / base['cpu']:.2f}",
            f"{figures['wall'] / base['wall']:.2f}",
            f"{figures['peak']:.0f}",
            f"{figures['cpu'] / medians['ours']['cpu']:.1f}",
        )
    table.add_section()


if __name__ == "__main__":
    sys.exit(main())
