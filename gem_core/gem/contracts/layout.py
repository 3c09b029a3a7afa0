"""What a layout is: the columns of an output, by role; and which layout a file has. Pure.

GEM's pages describe several. The columns decide, not the contract of the answer: an answer of one
generation may come with the file of another.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a column of the output is for."""

    ID = "id"
    """The input's id of the road."""
    GERS_ID = "gers id"
    CONFIDENCE = "confidence"
    STATUS = "status"
    """Whether the row is a match."""
    LINEAR_START = "linear start"
    """Where the match begins on the road, in metres."""
    LINEAR_END = "linear end"


class ColumnType(StrEnum):
    """Which values a column holds."""

    TEXT = "text"
    FLOAT = "float"
    NUMBER = "number"
    INTEGER = "integer"
    INTEGER_OR_TEXT = "integer or text"
    BOOLEAN = "boolean"


class Scale(StrEnum):
    """What a confidence of 0.9 or of 90 means."""

    UNIT = "0 to 1"
    PERCENT = "percent"
    BY_VALUES = "by values"
    """Integers are percent. Other numbers are percent if most of the matched are above 1."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an output."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of an output, and what its rows are."""

    name: str
    """Sent in manifests, so it never changes."""
    marks: tuple[str, ...]
    """The columns by which a file is recognised."""
    columns: Mapping[Role, Column] = field(default_factory=dict)
    """The columns that every file has. Empty for a layout that the app cannot audit."""
    optional: Mapping[Role, Column] = field(default_factory=dict)
    """Columns that are checked if the file has them."""
    others: tuple[str, ...] = ()
    """Columns that are known, and not checked."""
    matched: tuple[str, ...] = ()
    """The words of the status column for a match."""
    unmatched: tuple[str, ...] = ()
    scale: Scale = Scale.BY_VALUES
    keeps_input: bool = False
    """Whether the output has all columns of the input."""

    @property
    def row_per_match(self) -> bool:
        """Whether each row is a match: a road has a row for each match, and none without one."""
        return bool(self.columns) and Role.STATUS not in self.columns

    def is_whole_in(self, names: Collection[str]) -> bool:
        """Whether a file with these columns has all marks."""
        return all(mark in names for mark in self.marks)


def choose_layout(own: Layout, others: Sequence[Layout], names: Collection[str]) -> Layout | None:
    """The layout of a file; None when it is unknown.

    Args:
        own: of the contract of the answer. A file that has it, or most of it, is judged by it.
        others: all other layouts.
        names: the names of the file's columns.

    """
    whole = [each for each in others if each.is_whole_in(names)]
    if own.is_whole_in(names):
        return own
    if whole:
        return max(whole, key=lambda each: len(each.marks))
    present = sum(mark in names for mark in own.marks)
    foreign = {mark for each in others for mark in each.marks} - {*own.marks}
    has_most = 2 * present > len(own.marks)
    return own if has_most or (present and foreign.isdisjoint(names)) else None
