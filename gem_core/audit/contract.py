"""Which columns an output promises, which types are accepted, and what became of the input's. Pure.

Source: TomTom, "Get job details", output file structure: all original columns, plus `gers_id`
string, `match_confidence` float (0.0-1.0) and `match_status` string.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

ID = "id"
GERS_ID = "gers_id"
MATCH_CONFIDENCE = "match_confidence"
MATCH_STATUS = "match_status"

MATCHED = "matched"
UNMATCHED = "unmatched"


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
            like = [name for name in schema.names if name.lower() == self.name.lower()]
            return f"there is no column {self.name}" + (f", but {like[0]}" if like else "")
        if times > 1:
            return f"{self.name} occurs {times} times"
        found = schema.field(self.name).type
        return "" if self.accepts(found) else f"{self.name} is {found}, not {self.expected}"


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text, whichever way they are encoded."""
    if isinstance(kind, pa.BaseExtensionType):
        return False  # what the values mean is the extension's business
    return bool(pa.types.is_string(plain_type(kind)))


def is_confidence(kind: pa.DataType) -> bool:
    """Single or double precision. An integer column would be the percentage of another API."""
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def is_id(kind: pa.DataType) -> bool:
    """An integer of any width, or text."""
    return bool(pa.types.is_integer(kind)) or is_text(kind)


_TEXT = "text (utf8, large_utf8, or a dictionary of those)"
PROMISED = {
    GERS_ID: Promise(GERS_ID, is_text, _TEXT),
    MATCH_CONFIDENCE: Promise(MATCH_CONFIDENCE, is_confidence, "float32 or float64"),
    MATCH_STATUS: Promise(MATCH_STATUS, is_text, _TEXT),
}
"""The three columns that GEM adds."""

ID_PROMISE = Promise(ID, is_id, "an integer or text")
"""The input's id, which every output carries on."""


def usable_columns(schema: pa.Schema) -> list[str]:
    """Those of id and the promised columns whose values can be judged, in the file's order."""
    promises = (ID_PROMISE, *PROMISED.values())
    usable = [promise.name for promise in promises if not promise.problem(schema)]
    return sorted(usable, key=schema.get_field_index)


def names_once(schema: pa.Schema) -> set[str]:
    """The names that one column has alone."""
    return {name for name, times in Counter(schema.names).items() if times == 1}


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Give the type without its encoding.

    Dictionary, large and view variants and extensions hold the same values, and which of them a
    reader sees depends on who wrote the file (pandas, Spark, DuckDB), not on the column.
    """
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return _plain_nested(kind) if pa.types.is_nested(kind) else kind


def _plain_nested(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        return pa.struct([(part.name, plain_type(part.type)) for part in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(plain_type(kind.value_type), kind.list_size)
    return pa.list_(plain_type(kind.value_type))


@dataclass(frozen=True, slots=True)
class ColumnChanges:
    """What became of the input's columns in the output. Column names, or lines in words."""

    missing: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    """"name: type in the input -> type in the output"."""
    moved: tuple[str, ...] = ()
    """Kept columns that stand in another order than in the input."""
    extra: tuple[str, ...] = ()
    """Neither in the input nor promised."""
    clashing: tuple[str, ...] = ()
    """Input columns that already carry a promised name."""


def followed(output: pa.Schema, given: pa.Schema) -> tuple[str, ...]:
    """Tell which input columns can be found again: there once, before and after, of one type."""
    once = names_once(given) & names_once(output)
    return tuple(
        name
        for name in given.names
        if name in once
        and name not in PROMISED
        and plain_type(given.field(name).type) == plain_type(output.field(name).type)
    )


def compare_columns(output: pa.Schema, given: pa.Schema) -> ColumnChanges:
    """Follow every input column into the output.

    An input column with a promised name cannot be followed, since the output's column of that name
    is GEM's; it is only named.
    """
    before = [name for name in given.names if name not in PROMISED]
    after = [name for name in output.names if name not in PROMISED]
    missing = Counter(before) - Counter(after)
    extra = Counter(after) - Counter(before)
    once = names_once(given) & names_once(output)
    sent, kept = ([name for name in names if name in once] for names in (before, after))
    types = ((name, given.field(name).type, output.field(name).type) for name in sent)
    return ColumnChanges(
        missing=tuple(missing),
        retyped=tuple(
            f"{name}: {old} -> {new}"
            for name, old, new in types
            if plain_type(old) != plain_type(new)
        ),
        moved=tuple(new for old, new in zip(sent, kept, strict=True) if old != new),
        extra=tuple(extra),
        clashing=tuple(name for name in given.names if name in PROMISED),
    )
