"""Text for a terminal: tables, ages, and nothing that could move its cursor. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.moments import read_moment

_GAP = "  "
_CUT = "..."
_LEAST = 12
"""Characters that the last column keeps, however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    most: int = 0
    """Characters that are shown of a cell; 0 shows all of them, for what people copy."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int) -> list[str]:
    """The lines of a table; the last column takes what is left of the width.

    Args:
        columns: at least one.
        rows: a cell for each column.
        width: of the terminal in characters.

    """
    cells = [[column.title for column in columns]]
    cells += [[_cut(plain(cell), column.most) for cell, column in zip(row, columns, strict=True)]
              for row in rows]  # fmt: skip
    widths = [max(len(row[n]) for row in cells) for n in range(len(columns))]
    before = sum(widths[:-1]) + len(_GAP) * (len(columns) - 1)
    last = max(width - before, _LEAST)
    return [
        _GAP.join(
            [cell.ljust(size) for cell, size in zip(row[:-1], widths, strict=False)]
            + [_cut(row[-1], last)]
        ).rstrip()
        for row in cells
    ]


def plain(text: str) -> str:
    """The text with whatever is not printable spelt out, so that none of it commands a terminal."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def age(moment: str | None, now: datetime) -> str:
    """How long ago an ISO 8601 time was, in at most two units; "-" for none."""
    if not moment:
        return "-"
    past = now - read_moment(moment)
    if past < timedelta(0):
        return f"in {span(-past)}"
    return span(past)


def span(time: timedelta) -> str:
    """A duration in at most two units, cut to whole ones."""
    seconds = int(time.total_seconds())
    units = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"))
    parts = [f"{number}{unit}" for number, unit in units if number]
    return " ".join(parts[:2]) if parts else f"{seconds}s"


def _cut(text: str, most: int) -> str:
    return text if not most or len(text) <= most else text[: most - len(_CUT)] + _CUT
