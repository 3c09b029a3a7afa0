"""The plots as numbers. Pure.

Widths are in percent and heights in pixels, so that a plot stretches and its text does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gem_core.page.breakdown import Breakdown
from gem_core.page.geometry import ScaleBar, frame, path, scale_bar
from gem_core.page.map_sample import RoadMap
from gem_core.page.roads import Road
from gem_core.page.words import count, number_of, percent

PLOT_HEIGHT = 200
"""Height of the histogram in pixels."""

_MIN_BAR = 1.5
"""Minimum height of a bar in pixels, so that every bin with rows is visible."""

_GAP = 0.4
"""Space between two bins in percent of the width."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle of a histogram."""

    x: float
    width: float
    """In percent of the width of the plot."""
    y: float
    height: float
    """In pixels."""
    unmatched: bool
    label: str


@dataclass(frozen=True, slots=True)
class GridLine:
    """A horizontal line and its label."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Bin:
    """A row of the table below the histogram."""

    low: float
    high: float
    matched: int
    unmatched: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Confidences of matched rows, and of unmatched rows that have one."""

    bars: tuple[Bar, ...]
    grid: tuple[GridLine, ...]
    bins: tuple[Bin, ...]
    """Only bins with rows."""
    threshold: float | None
    """The job's threshold in percent, which is also its position in the plot."""
    has_unmatched: bool
    description: str


def histogram(
    matched: Sequence[int], unmatched: Sequence[int], threshold: float | None
) -> Histogram | None:
    """Draw two series of rows by confidence; None when there are no rows.

    Args:
        matched: number of matched rows in each bin; the bins divide 0 to 1 equally.
        unmatched: number of unmatched rows in each bin; may be empty.
        threshold: the job's threshold in percent.

    """
    total_unmatched = sum(unmatched)
    most = max([*matched, *unmatched], default=0)
    if not most:
        return None
    pairs = zip(matched, unmatched or [0] * len(matched), strict=True)
    bins = [
        Bin(index / len(matched), (index + 1) / len(matched), *pair)
        for index, pair in enumerate(pairs)
    ]
    series = [matched, unmatched] if total_unmatched else [matched]
    return Histogram(
        bars=tuple(_bars(bins, series, most)),
        grid=tuple(_grid(most)),
        bins=tuple(part for part in bins if part.matched or part.unmatched),
        threshold=threshold,
        has_unmatched=bool(total_unmatched),
        description=_describe(bins, sum(matched), total_unmatched, threshold),
    )


def _bars(bins: Sequence[Bin], series: Sequence[Sequence[int]], most: int) -> Iterator[Bar]:
    """The bars of the matched series and, if there is one, of the unmatched series beside it."""
    bin_width = 100 / len(bins)
    width = (bin_width - _GAP) / len(series)
    for number, counts in enumerate(series):
        for index, rows in enumerate(counts):
            if not rows:
                continue
            height = max(rows / most * PLOT_HEIGHT, _MIN_BAR)
            yield Bar(
                x=round(index * bin_width + _GAP / 2 + number * width, 3),
                width=round(width, 3),
                y=round(PLOT_HEIGHT - height, 1),
                height=round(height, 1),
                unmatched=bool(number),
                label=f"{bins[index].low:.2f} to {bins[index].high:.2f}: "
                f"{number_of(rows, 'row')} {'unmatched' if number else 'matched'}",
            )


def _describe(bins: Sequence[Bin], matched: int, unmatched: int, threshold: float | None) -> str:
    """The histogram in words, for people who cannot see it."""
    text = number_of(matched, "matched row")
    if matched:
        most = max(bins, key=lambda part: part.matched)
        text += f", the largest bin ({count(most.matched)}) from {most.low:.2f} to {most.high:.2f}"
    text += f"; {number_of(unmatched, 'unmatched row')} with a confidence."
    return text + ("" if threshold is None else f" The job's threshold is {threshold / 100:g}.")


def _grid(most: int) -> list[GridLine]:
    """Two to five lines at round numbers up to `most`."""
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
    """Matched part of the bar in percent."""


@dataclass(frozen=True, slots=True)
class ShareTable:
    """The rows of a file by the values of one column."""

    column: str
    rows: tuple[ShareRow, ...]
    overall: float
    """Share of all rows that are matched, in percent."""


def share_table(breakdown: Breakdown) -> ShareTable:
    """The table of one column: the value with the lowest matched share first."""
    rows = [
        ShareRow(
            part.value,
            count(part.rows),
            count(part.matched),
            percent(part.matched / part.rows),
            round(part.matched / part.rows * 100, 2),
        )
        for part in sorted(breakdown.parts, key=lambda part: (part.matched / part.rows, -part.rows))
    ]
    matched = sum(part.matched for part in breakdown.parts)
    total = sum(part.rows for part in breakdown.parts)
    return ShareTable(breakdown.column, tuple(rows), round(matched / total * 100, 2))


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """Sampled roads as the data of SVG paths."""

    matched: tuple[str, ...]
    unmatched: tuple[str, ...]
    height: float
    description: str
    note: str
    marked: tuple[str, ...] = ()
    """Roads whose GERS ids Overture does not have, or has elsewhere."""
    bar: ScaleBar | None = None
    """None without roads."""


_MARKED = "and {} whose GERS id is not in Overture or elsewhere, drawn thick, "


def drawn_map(road_map: RoadMap) -> DrawnMap:
    """Draw the roads. If there are none, the map has only a note."""
    roads = (*road_map.matched, *road_map.unmatched, *road_map.marked)
    if not roads:
        return DrawnMap((), (), 0, "", road_map.note or "there are no roads to draw")
    area = frame(roads)
    bar = scale_bar(area)

    def paths(roads: Sequence[Road]) -> tuple[str, ...]:
        return tuple(path(road, area) for road in roads if area.contains(road))

    matched, unmatched = paths(road_map.matched), paths(road_map.unmatched)
    marked = paths(road_map.marked)
    outside = len(roads) - len(matched) - len(unmatched) - len(marked)
    distant = f"{number_of(outside, 'distant road')} not shown" if outside else ""
    return DrawnMap(
        matched,
        unmatched,
        area.height,
        f"A sample of {number_of(len(matched), 'matched road')}, drawn solid, and "
        f"{number_of(len(unmatched), 'unmatched road')}, drawn dashed, "
        f"{_MARKED.format(number_of(len(marked), 'road')) if marked else ''}longitude "
        f"{area.west:.3f} to {area.east:.3f}, latitude {area.south:.3f} to {area.north:.3f}. "
        f"The bar at the bottom left is {bar.label}.",
        "; ".join(note for note in (road_map.note, distant) if note),
        marked,
        bar,
    )
