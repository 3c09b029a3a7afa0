"""The plots as numbers: widths in percent, heights in pixels, so text keeps its size. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gem_core.page.breakdown import Breakdown
from gem_core.page.geometry import Road, frame, path
from gem_core.page.survey import RoadMap
from gem_core.page.words import count, number_of, percent

PLOT_HEIGHT = 200
"""Pixels, of the bars of the histogram."""

_GAP = 0.4
"""Percent of the width between two bins."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle of a histogram."""

    x: float
    width: float
    """Percent of the plot."""
    y: float
    height: float
    """Pixels."""
    unmatched: bool
    label: str


@dataclass(frozen=True, slots=True)
class GridLine:
    """A horizontal line and what it stands for."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Bin:
    """A row of the table beside the histogram."""

    low: float
    high: float
    matched: int
    unmatched: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Confidences of matched and, where they have any, of unmatched rows."""

    bars: tuple[Bar, ...]
    grid: tuple[GridLine, ...]
    bins: tuple[Bin, ...]
    """Those with rows."""
    threshold: float | None
    """Percent, as the job tells it; also the place in the plot."""
    has_unmatched: bool
    description: str


def histogram(
    matched: Sequence[int], unmatched: Sequence[int], threshold: float | None
) -> Histogram | None:
    """Draw two series of equally many bins over 0 to 1; None when both are empty."""
    total_unmatched = sum(unmatched)
    most = max([*matched, *unmatched], default=0)
    if not most:
        return None
    wide = 100 / len(matched)
    shown = [matched, unmatched] if total_unmatched else [matched]
    width = (wide - _GAP) / len(shown)
    bins = [
        Bin(place / len(matched), (place + 1) / len(matched), *pair)
        for place, pair in enumerate(
            zip(matched, unmatched or [0] * len(matched), strict=True),
        )
    ]
    bars = [
        Bar(
            x=round(place * wide + _GAP / 2 + series * width, 3),
            width=round(width, 3),
            y=round(PLOT_HEIGHT - high, 1),
            height=round(high, 1),
            unmatched=bool(series),
            label=f"{bins[place].low:.2f} to {bins[place].high:.2f}: "
            f"{number_of(rows, 'row')} {'unmatched' if series else 'matched'}",
        )
        for series, counts in enumerate(shown)
        for place, rows in enumerate(counts)
        if rows and (high := max(rows / most * PLOT_HEIGHT, 1.5))
    ]
    return Histogram(
        bars=tuple(bars),
        grid=tuple(_grid(most)),
        bins=tuple(part for part in bins if part.matched or part.unmatched),
        threshold=threshold,
        has_unmatched=bool(total_unmatched),
        description=_describe(bins, sum(matched), total_unmatched, threshold),
    )


def _describe(bins: Sequence[Bin], matched: int, unmatched: int, threshold: float | None) -> str:
    text = number_of(matched, "matched row")
    if matched:
        most = max(bins, key=lambda part: part.matched)
        text += f", the fullest bin ({count(most.matched)}) from {most.low:.2f} to {most.high:.2f}"
    text += f"; {number_of(unmatched, 'unmatched row')} with a confidence."
    return text + ("" if threshold is None else f" The job's threshold is {threshold / 100:g}.")


def _grid(most: int) -> list[GridLine]:
    """Two to five lines at round numbers."""
    step = next(
        factor * 10**power
        for power in range(20)
        for factor in (1, 2, 5)
        if most / (factor * 10**power) <= 5  # noqa: PLR2004 - lines
    )
    return [
        GridLine(round(PLOT_HEIGHT * (1 - value / most), 1), count(value))
        for value in range(step, most + 1, step)
    ]


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One value of a column."""

    value: str | None
    rows: str
    matched: str
    share: str
    width: float
    """Percent of the bar that is matched."""


@dataclass(frozen=True, slots=True)
class ShareTable:
    """The rows of a file by the values of one column."""

    column: str
    rows: tuple[ShareRow, ...]
    overall: float
    """Percent of all rows that are matched."""


def share_table(found: Breakdown) -> ShareTable:
    """Show one column."""
    rows = [
        ShareRow(
            part.value,
            count(part.rows),
            count(part.matched),
            percent(part.matched / part.rows),
            round(part.matched / part.rows * 100, 2),
        )
        for part in found.parts
    ]
    matched, total = (
        sum(getattr(part, name) for part in found.parts) for name in ("matched", "rows")
    )
    return ShareTable(found.column, tuple(rows), round(matched / total * 100, 2))


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """Sampled roads as paths."""

    matched: tuple[str, ...]
    unmatched: tuple[str, ...]
    height: float
    description: str
    note: str


def drawn_map(found: RoadMap) -> DrawnMap:
    """Draw the roads; without any, only the note is left."""
    everything = (*found.matched, *found.unmatched)
    if not everything:
        return DrawnMap((), (), 0, "", found.note or "there is no road to draw")
    shown = frame(everything)

    def paths(roads: Sequence[Road]) -> tuple[str, ...]:
        return tuple(path(one, shown) for one in roads if shown.holds(one))

    matched, unmatched = paths(found.matched), paths(found.unmatched)
    outside = len(everything) - len(matched) - len(unmatched)
    notes = [found.note, f"{number_of(outside, 'road')} far off not shown" if outside else ""]
    return DrawnMap(
        matched,
        unmatched,
        shown.height,
        f"A sample of {number_of(len(matched), 'matched road')}, drawn solid, and "
        f"{number_of(len(unmatched), 'unmatched road')}, drawn dashed, longitude "
        f"{shown.west:.3f} to {shown.east:.3f}, latitude {shown.south:.3f} to {shown.north:.3f}.",
        "; ".join(note for note in notes if note),
    )
