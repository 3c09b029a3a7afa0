"""The ids of both files as an audit takes them, and what it finds. Pure values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.parquet.integer_range import IntegerRange
from gem_core.audit.rows.example import Example


class InputLost(Exception):
    """Reading the input stopped; raised by the iterator of its ids. The message says why."""


@dataclass(frozen=True, slots=True)
class InputIds:
    """The ids of the input: their type, and how to read them."""

    kind: pa.DataType
    read: Callable[[], Iterable[pa.Array]]
    """All ids in the file's order, from the first one; may be called again. May raise InputLost."""
    span: IntegerRange | None = None


@dataclass(frozen=True, slots=True)
class OutputIds:
    """The ids of the output: their type, and how to read them again."""

    kind: pa.DataType
    again: Callable[[], Iterable[tuple[pa.Array, Mask]]]
    """All ids from the first one, and which of their rows are matched."""
    span: IntegerRange | None = None
    rows: int = 0
    """Of the file, as its footer states."""


@dataclass(frozen=True, slots=True)
class IdFacts:
    """What is known of the ids. Nulls are left out; every count is exact, or None."""

    rows: int
    """Rows of the output that have an id."""
    distinct: int | None
    distinct_matched: int | None
    """Ids with at least one matched row."""
    not_counted: str
    """Why `distinct` is None, or empty."""
    missing: int | None
    """Distinct ids of the input that the output lacks."""
    extra: int | None
    """Distinct ids of the output that the input lacks."""
    not_compared: str
    """Why `missing` and `extra` are None, or empty."""
    over_limit: str = ""
    """Which limit of ours is the reason that one of them is None, or empty."""
    missing_examples: tuple[Example, ...] = ()
    extra_examples: tuple[Example, ...] = ()
