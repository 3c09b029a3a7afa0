"""What many runs came to, and the table of it."""

from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table

from tests.world.faults import Fault
from tests.world.world import Result

MAX_SHOWN = 10


@dataclass(slots=True)
class Tally:
    """Sums over runs."""

    runs: Counter[str] = field(default_factory=Counter)
    """By the part of the campaign."""
    injected: Counter[Fault] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    called: set[str] = field(default_factory=set)
    """Every call of every story that was seen."""
    killed: set[str] = field(default_factory=set)
    """Every point at which a process died."""
    points: Counter[str] = field(default_factory=Counter)
    """Of the exhaustive part, by what comes together: where it could happen."""
    states: Counter[str] = field(default_factory=Counter)
    """The states of the world that these points may leave; each was run."""
    poisoned: Counter[str] = field(default_factory=Counter)
    """Messages that failed too often, by their kind."""
    owed: int = 0
    sent: int = 0
    lost: int = 0
    ids: Counter[int] = field(default_factory=Counter)
    """How often a (registration, output ETag, ruleset) had so many ids."""
    breaches: int = 0
    cpu_seconds: float = 0
    failing: list[tuple[str, str]] = field(default_factory=list)
    """How to run it again, and what broke."""

    def add(self, part: str, replay: str, result: Result) -> None:
        """Count one run."""
        self.runs[part] += 1
        self.injected += result.injected
        self.deeds += result.deeds
        self.endings += result.endings
        self.called |= set(result.called)
        self.killed |= set(result.killed)
        self.poisoned += result.poisoned
        self.owed += result.owed
        self.sent += result.sent
        self.lost += result.lost
        self.ids += Counter(result.ids)
        self.breaches += len(result.breaches)
        if result.breaches:
            self.failing.append((replay, result.breaches[0]))

    def count(self, what: str, *, points: int, states: int) -> None:
        """Count points of the exhaustive part, and the states of the world that they leave."""
        self.points[what] += points
        self.states[what] += states

    def merge(self, other: "Tally") -> None:
        """Count the runs of another process."""
        self.runs += other.runs
        self.injected += other.injected
        self.deeds += other.deeds
        self.endings += other.endings
        self.called |= other.called
        self.killed |= other.killed
        self.points += other.points
        self.states += other.states
        self.poisoned += other.poisoned
        self.owed += other.owed
        self.sent += other.sent
        self.lost += other.lost
        self.ids += other.ids
        self.breaches += other.breaches
        self.cpu_seconds += other.cpu_seconds
        self.failing += other.failing

    @property
    def kill_points(self) -> set[str]:
        """Every call that was seen, before and after."""
        return {f"{call}, {side}" for call in self.called for side in ("before", "after")}

    def table(self) -> Table:
        """For a reader."""
        table = Table(
            title="The world against GEM Courier", show_header=False, title_justify="left"
        )
        table.add_column(justify="left")
        table.add_column(justify="right")
        for part, runs in self.runs.items():
            table.add_row(f"runs, {part}", f"{runs:,}")
        table.add_row("runs", f"[bold]{sum(self.runs.values()):,}", end_section=True)
        for fault in Fault:
            table.add_row(f"fault: {fault}", f"{self.injected[fault]:,}")
        table.add_row("faults", f"{sum(self.injected.values()):,}", end_section=True)
        for deed, count in sorted(self.deeds.items()):
            table.add_row(f"from outside: {deed}", f"{count:,}")
        table.add_section()
        for ending, count in self.endings.most_common():
            table.add_row(f"stories that ended {ending}", f"{count:,}")
        table.add_section()
        for what, count in self.states.items():
            points = f"{self.points[what]:,}"
            table.add_row(f"exhaustive, {what}", f"all {points} points, by {count:,} states")
        found = self.kill_points
        covered = len(self.killed & found)
        table.add_row(
            "kill points (story, call, before or after) covered of found",
            f"{covered:,} of {len(found):,}",
            end_section=True,
        )
        for kind, count in sorted(self.poisoned.items()):
            table.add_row(f"poison: {kind}", f"{count:,}")
        table.add_row("manifests owed", f"{self.owed:,}")
        table.add_row("manifests delivered, repeats too", f"{self.sent:,}")
        table.add_row("lost", f"[bold]{self.lost:,}")
        for ids, count in sorted(self.ids.items()):
            table.add_row(
                f"(registration, ETag, ruleset) with {ids} id{'s'[: ids != 1]}", f"{count:,}"
            )
        table.add_row("invariant breaches", f"[bold]{self.breaches:,}")
        return table
