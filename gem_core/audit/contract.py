"""The columns that an output's layout promises, by role, and their accepted Arrow types. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from gem_core.audit.arrow.types import is_text, unreadable
from gem_core.gem.contracts.known import layout_of
from gem_core.gem.contracts.layout import Column, ColumnType, Layout, Role, Scale
from gem_core.gem.job import GemJob

ID = "id"
"""The input's id of a road; every layout that can be audited has the column."""
GEOMETRY = "geometry"
"""The column of the input that GEM reads; outputs that keep the input's columns have it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A column that every output has, once, with an accepted type."""

    name: str
    accepts: Callable[[pa.DataType], bool]
    expected: str
    """The accepted types, in words."""

    def problem(self, schema: pa.Schema) -> str:
        """What is wrong with the column in this schema, in words; empty when nothing is."""
        times = schema.names.count(self.name)
        if times == 0:
            like = [name for name in schema.names if _bare(name) == _bare(self.name)]
            return f"there is no column {self.name}" + (f", but {_shown(like[0])}" if like else "")
        if times > 1:
            return f"{self.name} occurs {times} times"
        if reason := self.unreadable(schema):
            return reason
        found = schema.field(self.name).type
        return "" if self.accepts(found) else f"{self.name} is {found}, not {self.expected}"

    def unreadable(self, schema: pa.Schema) -> str:
        """Why nobody here can read the column, which is no broken promise; or empty."""
        there_once = schema.names.count(self.name) == 1
        return unreadable(schema.field(self.name)) if there_once else ""


def _bare(name: str) -> str:
    """Without the blanks and the byte order mark that files of other forms leave in a name."""
    return name.strip("\ufeff \t\r\n").lower()


def _shown(name: str) -> str:
    return name if name.isidentifier() else ascii(name)[:100]


def is_float(kind: pa.DataType) -> bool:
    """Single or double precision."""
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def is_number(kind: pa.DataType) -> bool:
    """An integer of any width, or a float."""
    return bool(pa.types.is_integer(kind)) or is_float(kind)


def is_integer_or_text(kind: pa.DataType) -> bool:
    """An integer of any width, or text."""
    return bool(pa.types.is_integer(kind)) or is_text(kind)


def is_id(kind: pa.DataType) -> bool:
    """The same, or a decimal without a fraction, which Spark makes of uint64."""
    return is_integer_or_text(kind) or bool(pa.types.is_decimal(kind) and kind.scale == 0)


_TYPES: Mapping[ColumnType, tuple[Callable[[pa.DataType], bool], str]] = {
    ColumnType.TEXT: (is_text, "text (UTF8, ENUM or JSON)"),
    ColumnType.FLOAT: (is_float, "float32 or float64"),
    ColumnType.NUMBER: (is_number, "an integer, float32 or float64"),
    ColumnType.INTEGER: (pa.types.is_integer, "an integer"),
    ColumnType.BOOLEAN: (pa.types.is_boolean, "boolean"),
    ColumnType.INTEGER_OR_TEXT: (is_integer_or_text, "an integer or text"),
}


def promise(column: Column) -> Promise:
    """The promise of one column of a layout."""
    return Promise(column.name, *_TYPES[column.type])


ID_PROMISE = Promise(ID, is_id, "an integer or text")
"""The id column of the input, which the output keeps."""


@dataclass(frozen=True, slots=True)
class UsableColumns:
    """The columns of one output whose values can be checked."""

    columns: Mapping[Role, str]
    """Names by role, in the file's order. A column that is not as promised is left out."""
    matched: tuple[str, ...]
    unmatched: tuple[str, ...]
    scale: Scale = Scale.UNIT
    """What the confidences mean; BY_VALUES when the values decide."""
    row_per_match: bool = False
    """Whether each row is a match, so that there is no status."""

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [*self.columns.values()]

    @property
    def repeating(self) -> frozenset[str]:
        """The columns that repeat few values."""
        return frozenset(self.only(Role.STATUS).columns.values())

    @property
    def tells_matches(self) -> bool:
        """Whether it is known which rows are matches."""
        return self.row_per_match or Role.STATUS in self.columns

    def only(self, *roles: Role) -> "UsableColumns":
        """Of these roles only."""
        return replace(
            self, columns={role: name for role, name in self.columns.items() if role in roles}
        )


@dataclass(frozen=True, slots=True)
class Promises:
    """What a layout promises of every output: its columns, and what its rows are."""

    layout: Layout
    columns: Mapping[Role, Promise]
    """The columns that every file has."""
    optional: Mapping[Role, Promise]
    """Columns that are checked if the file has them."""

    @property
    def added(self) -> frozenset[str]:
        """The names of the columns that GEM adds to the input's."""
        return frozenset(
            column.name for role, column in self.columns.items() if role is not Role.ID
        )

    def usable(self, schema: pa.Schema) -> UsableColumns:
        """The columns of an output whose values can be checked."""
        usable = {
            role: column.name
            for role, column in (*self.columns.items(), *self.optional.items())
            if not column.problem(schema)
        }
        in_order = dict(sorted(usable.items(), key=lambda item: schema.get_field_index(item[1])))
        layout, scale = self.layout, self.layout.scale
        if scale is Scale.BY_VALUES and (name := in_order.get(Role.CONFIDENCE)):
            scale = Scale.PERCENT if pa.types.is_integer(schema.field(name).type) else scale
        return UsableColumns(
            in_order, layout.matched, layout.unmatched, scale, layout.row_per_match
        )


def promises_of(job: GemJob, schema: pa.Schema) -> Promises | None:
    """What the layout of this output promises; None when the app cannot audit such a layout.

    Raises:
        RecordUnreadable: this version does not know the contract of the job.

    """
    layout = layout_of(job, schema.names)
    if layout is None or not layout.columns:
        return None
    columns = {role: _of_output(role, column) for role, column in layout.columns.items()}
    optional = {role: _of_output(role, column) for role, column in layout.optional.items()}
    return Promises(layout, columns, optional)


def _of_output(role: Role, column: Column) -> Promise:
    """The promise of a column of an output.

    A column may have no type: writers such as pandas give it none if no row has a value. The rules
    of rows say whether one is missing. Only the status, which each layout is read by, needs one.
    """
    found = replace(ID_PROMISE, name=column.name) if role is Role.ID else promise(column)
    if role is Role.STATUS:
        return found
    return replace(found, accepts=lambda kind: pa.types.is_null(kind) or found.accepts(kind))


def names_once(schema: pa.Schema) -> set[str]:
    """The names that one column has alone."""
    return {name for name, times in Counter(schema.names).items() if times == 1}
