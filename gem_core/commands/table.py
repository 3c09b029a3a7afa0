"""Text for a terminal: tables, ages, and safe text without control characters. Pure."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gem_core.moments import read_moment

_GAP = "  "
_INDENT = "    "
_CUT = "..."
_LEAST = 12
"""Minimum width of the last column in characters."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    most: int = 0
    """Maximum number of characters of a cell. 0 is no limit, for texts that people copy."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int) -> list[str]:
    """The lines of a table. The last column uses the rest of the width.

    Where too little of it is left, the last column gets lines of its own.

    Args:
        columns: at least one.
        rows: a cell for each column.
        width: width of the terminal in characters.

    """
    cells = [[column.title for column in columns]]
    cells += [[_cut(plain(cell), column.most) for cell, column in zip(row, columns, strict=True)]
              for row in rows]  # fmt: skip
    widths = [max(len(row[n]) for row in cells) for n in range(len(columns))]
    before = sum(widths[:-1]) + len(_GAP) * (len(columns) - 1)
    rows_before = [
        _GAP.join(cell.ljust(size) for cell, size in zip(row[:-1], widths, strict=False))
        for row in cells
    ]
    if width - before < min(_LEAST, widths[-1]):
        last = max(width - len(_INDENT), _LEAST)
        return [
            line
            for text, row in zip(rows_before, cells, strict=True)
            for line in (text.rstrip(), _INDENT + _cut(row[-1], last))
        ]
    return [
        f"{text}{_GAP}{_cut(row[-1], width - before)}".rstrip()
        for text, row in zip(rows_before, cells, strict=True)
    ]


def wrapped(text: str, width: int, *, indent: int = 0) -> list[str]:
    """The text in lines of this width, the second and later ones indented.

    A word that is longer, such as an address, keeps its line: people copy it.
    """
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * indent,
        drop_whitespace=True,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def plain(text: str) -> str:
    """The text with escapes in place of unprintable characters, which could control a terminal."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def age(moment: str | None, now: datetime) -> str:
    """The time since an ISO 8601 moment in at most two units, such as "3h 4m"; "-" without one.

    For a moment in the future: "in" and the time until then.
    """
    if not moment:
        return "-"
    past = now - read_moment(moment)
    if past < timedelta(0):
        return f"in {span(-past)}"
    return span(past)


def span(time: timedelta) -> str:
    """A duration in at most two units, rounded down."""
    seconds = int(time.total_seconds())
    units = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"))
    parts = [f"{number}{unit}" for number, unit in units if number]
    return " ".join(parts[:2]) if parts else f"{seconds}s"


def _cut(text: str, most: int) -> str:
    return text if not most or len(text) <= most else text[: most - len(_CUT)] + _CUT
