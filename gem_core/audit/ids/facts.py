"""What an audit is told of ids, and what it finds out about them. Pure values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.parquet.integer_range import IntegerRange
from gem_core.audit.rows.example import Example

LIMIT_BYTES = 64 << 20
"""Of ids held, both files together."""


class InputLost(Exception):
    """The input could not be read on; raised by the iterator of its ids. The message says why."""


@dataclass(frozen=True, slots=True)
class IdLimits:
    """What ids may take."""

    memory_bytes: int = LIMIT_BYTES
    """Of both files together."""
    folder: Path | None = None
    """For what does not fit into memory; None is the system's temporary directory."""


@dataclass(frozen=True, slots=True)
class InputIds:
    """The ids of the input: their type, and the arrays in the file's order."""

    kind: pa.DataType
    read: Callable[[], Iterable[pa.Array]]
    """From the first one; may be called again. May raise InputLost."""
    span: IntegerRange | None = None


@dataclass(frozen=True, slots=True)
class OutputIds:
    """The ids of the output: their type, and how to read them once more."""

    kind: pa.DataType
    again: Callable[[], Iterable[tuple[pa.Array, Mask]]]
    """All ids with which of their rows are matched, from the first one."""
    span: IntegerRange | None = None
    rows: int = 0
    """Of the file, as its footer says."""


@dataclass(frozen=True, slots=True)
class IdFacts:
    """What the ids say. Nulls are left out; every count is exact, or None."""

    rows: int
    """Rows of the output that have an id."""
    distinct: int | None
    distinct_matched: int | None
    """Ids with at least one matched row."""
    not_counted: str
    """Why `distinct` is None, or empty."""
    missing: int | None
    """Distinct ids of the input that the output lacks."""
    invented: int | None
    """Distinct ids of the output that the input lacks."""
    not_compared: str
    """Why `missing` and `invented` are None, or empty."""
    missing_examples: tuple[Example, ...] = ()
    invented_examples: tuple[Example, ...] = ()
