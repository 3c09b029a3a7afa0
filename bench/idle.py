"""`make bench-idle`: what a month without a job costs, counted while the app idles on this machine.

The app runs in the development runner, which logs what the Functions host logs about a run. A line
has the category `Function.NAME.User` if the app logs it, and `Function.NAME` if the host does.
"""

import argparse
import json
import math
import re
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from devkit.stage import ROOT, stage

MINUTES = 30 * 24 * 60
"""Of a month; the timer runs each minute."""
MEMORY_GB = 2
"""Of an instance, as deployed by default."""
LEVELS = ("Trace", "Debug", "Information", "Warning", "Error", "Critical", "None")
DEFAULT = {"default": "Information"}
"""The levels of a host.json that says nothing."""
EVERY = 2
"""Seconds between two ticks here. An idle tick has nothing to do, however often it comes."""

_LINE = re.compile(r"^\S+ (\w+) +\[(\w+)\] (.*)$", re.MULTILINE)
_HOSTS = re.compile(r"(?:Executing|Executed) (\w+) ")
_TOOK = re.compile(r"Executed check_jobs \(Succeeded, .*Duration=(\d+)ms")


@dataclass(frozen=True, slots=True)
class Idle:
    """What idle ticks did."""

    seconds: list[float]
    """How long each took."""
    categories: list[str]
    """The category of each of their lines."""

    def lines(self, levels: Mapping[str, str]) -> float:
        """Lines of a tick that the host sends to Application Insights with these levels."""
        sent = sum(is_sent(category, levels) for category in self.categories)
        return sent / len(self.seconds)

    @property
    def billed_seconds(self) -> float:
        """Of a tick: Azure rounds up to a tenth of a second, and bills at least a second."""
        return max(1, math.ceil(10 * statistics.fmean(self.seconds)) / 10)


def is_sent(category: str, levels: Mapping[str, str]) -> bool:
    """Whether a line of level Information is sent: the longest prefix of its category counts."""
    named = [name for name in levels if f"{category}.".startswith(f"{name}.")]
    level = levels[max(named, key=len, default="default")]
    return LEVELS.index(level) <= LEVELS.index("Information")


def levels_of_the_app() -> dict[str, str]:
    """The levels of host.json."""
    held = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    levels: dict[str, str] = held["logging"]["logLevel"]
    return levels


def read_log(log: str) -> Idle:
    """The ticks in the runner's log, from the start of the first to the end of the last."""
    lines = list(_lines(log))
    first = next(at for at, (_, message) in enumerate(lines) if "Executing check_jobs" in message)
    last = max(at for at, (_, message) in enumerate(lines) if "Executed check_jobs" in message)
    ticks = lines[first : last + 1]
    took = [float(found[1]) / 1000 for _, message in ticks if (found := _TOOK.match(message))]
    return Idle(took, [category for category, _ in ticks])


def _lines(log: str) -> Iterator[tuple[str, str]]:
    """Each line that the host would log, as (category, message)."""
    for _, function, message in _LINE.findall(log):
        if function != "runner":
            yield f"Function.{function}.User", message
        elif found := _HOSTS.match(message):
            yield f"Function.{found[1]}", message


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-idle", description=__doc__)
    parser.add_argument("--ticks", type=int, default=20, help="how many (%(default)s)")
    ticks = parser.parse_args().ticks
    with stage(overrides={"GEM_CHECK_SCHEDULE": f"*/{EVERY} * * * * *"}) as up:
        while up.runner.log.count("Executed check_jobs") < ticks:
            time.sleep(EVERY)
        idle = read_log(up.runner.log)
    table = Table(title=f"A month without a job: {MINUTES:,} ticks, from {len(idle.seconds)} here")
    for heading in ("", "the host's default levels", "the levels of host.json"):
        table.add_column(heading)
    runs = f"{MINUTES:,}"
    table.add_row("runs", runs, runs)
    gb_seconds = f"{MINUTES * MEMORY_GB * idle.billed_seconds:,.0f}"
    table.add_row(f"GB-s at {MEMORY_GB} GB", gb_seconds, gb_seconds)
    lines = [idle.lines(levels) for levels in (DEFAULT, levels_of_the_app())]
    table.add_row("log lines of a tick", *(f"{count:.2f}" for count in lines))
    table.add_row("log lines", *(f"{count * MINUTES:,.0f}" for count in lines))
    Console(width=110).print(table)
    print(f"a tick takes {1000 * statistics.median(idle.seconds):.0f} ms here (median)")


if __name__ == "__main__":
    main()
