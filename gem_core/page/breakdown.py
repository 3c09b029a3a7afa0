"""Shares of matched rows by the values of a column with few values. Pure (pyarrow.compute)."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.types import unreadable
from gem_core.audit.contract import GEOMETRY, ID, names_once
from gem_core.audit.parquet.footer import Footer
from gem_core.page.reader import weights

MAX_VALUES = 30
"""A column with more values does not describe a class of roads."""

MAX_COLUMNS = 12
"""Only the first columns of the file are read."""

BYTES_A_ROW = 1
"""A column with more bytes for each row (`reader.weights`) is not read. One of thirty values needs
five bits."""

_FREE_BYTES = 64 << 10
"""A column chunk of this size is cheap to read, even if it has few rows."""


@dataclass(frozen=True, slots=True)
class ClassShare:
    """The rows with one value."""

    value: str | None
    """The value as text; None for null."""
    rows: int
    matched: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The rows of a file by the values of one column."""

    column: str
    parts: tuple[ClassShare, ...]
    """Sorted by the number of rows, largest first."""


def candidates(schema: pa.Schema, footer: Footer, added: Collection[str]) -> tuple[str, ...]:
    """The input's columns that may describe a class of roads, according to the footer.

    Args:
        schema: the output's columns.
        footer: the output's.
        added: names of the columns that GEM adds.

    """
    once = names_once(schema) - {ID, GEOMETRY, *added}
    most = footer.rows * BYTES_A_ROW + _FREE_BYTES * len(footer.group_rows)
    fitting = (
        part.name
        for part in schema
        if part.name in once
        and part.name in footer.by_name
        and _is_class(part.type)
        and not unreadable(part)
        and sum(weights(footer, part.name)) <= most
    )
    return tuple(name for name, _ in zip(fitting, range(MAX_COLUMNS), strict=False))


def _is_class(kind: pa.DataType) -> bool:
    """Whether values of this type can describe a class: text, integers or booleans."""
    return bool(pa.types.is_string(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind))


@dataclass(slots=True)
class BreakdownFold:
    """Counts the values of one column. It stops counting when there are more than `MAX_VALUES`."""

    column: str
    _rows: Counter[object] = field(default_factory=Counter)
    _matched: Counter[object] = field(default_factory=Counter)
    _too_many: bool = False

    def add(self, values: pa.Array, matched: pa.BooleanArray) -> None:
        """Count one batch; `matched` is true for its matched rows."""
        if self._too_many:
            return
        rows = pc.value_counts(values)
        if len(rows) > MAX_VALUES:
            self._too_many = True
            return
        _count(self._rows, rows)
        _count(self._matched, pc.value_counts(values.filter(matched)))
        self._too_many = len(self._rows) > MAX_VALUES

    def breakdown(self) -> Breakdown | None:
        """The counts of all batches; None when the column does not describe a class.

        A class has at least one row, at most `MAX_VALUES` values, and two rows or more for each
        value on average.
        """
        total = self._rows.total()
        if self._too_many or not total or 2 * len(self._rows) > total:
            return None
        parts = [
            ClassShare(_shown(value), rows, self._matched[value])
            for value, rows in self._rows.items()
        ]
        return Breakdown(
            self.column, tuple(sorted(parts, key=lambda part: (-part.rows, part.value or "")))
        )


def _count(counter: Counter[object], counts: pa.StructArray) -> None:
    values, times = counts.field("values"), counts.field("counts")
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not (pa.types.is_boolean(values.type) or pa.types.is_integer(values.type)):
        values = values.cast(pa.large_binary())  # the text may be invalid UTF-8
    for value, count in zip(values.to_pylist(), times.to_pylist(), strict=True):
        counter[value] += count


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode(errors="replace")[:100]
    return str(value).lower() if isinstance(value, bool) else str(value)
