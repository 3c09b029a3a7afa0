"""What became of the input's columns in the output. Pure."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa

from gem_core.audit.arrow.types import holds_int96, same_type, shown, unreadable, widens
from gem_core.audit.contract import names_once


@dataclass(frozen=True, slots=True)
class ColumnChanges:
    """What became of the input's columns in the output: column names, or lines in words."""

    missing: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    """"name: type in the input -> type in the output"."""
    widened: tuple[str, ...] = ()
    """The same of columns whose new type holds every value of the old one."""
    moved: tuple[str, ...] = ()
    """Kept columns that stand in another order than in the input."""
    extra: tuple[str, ...] = ()
    """Neither in the input nor added by GEM."""
    clashing: tuple[str, ...] = ()
    """Input columns that have the name of a column that GEM adds."""


def comparable_columns(
    output: pa.Schema, input_schema: pa.Schema, added: Collection[str]
) -> tuple[str, ...]:
    """The input's columns that can be compared: once in both files, and of one type or a wider one.

    Args:
        output: the output's columns.
        input_schema: the input's.
        added: the names of the columns that GEM adds.

    """
    once = names_once(input_schema) & names_once(output)
    return tuple(
        name
        for name in input_schema.names
        if name in once
        and name not in added
        and _is_comparable(input_schema.field(name), output.field(name))
    )


def _is_comparable(old: pa.Field, new: pa.Field) -> bool:
    """INT96 is read as microseconds, so what is finer would seem to differ."""
    if unreadable(old) or unreadable(new):
        return False
    return same_type(old, new) or (widens(old, new) and not holds_int96(old))


def compare_columns(
    output: pa.Schema, input_schema: pa.Schema, added: Collection[str]
) -> ColumnChanges:
    """Look for every column of the input in the output; arguments as in `comparable_columns`.

    If an input column has the name of a column that GEM adds, it cannot be compared: the output's
    column of that name is GEM's. The report only names it.
    """
    before = [name for name in input_schema.names if name not in added]
    after = [name for name in output.names if name not in added]
    missing = Counter(before) - Counter(after)
    extra = Counter(after) - Counter(before)
    once = names_once(input_schema) & names_once(output)
    sent, kept = ([name for name in names if name in once] for names in (before, after))
    types = [(input_schema.field(name), output.field(name)) for name in sent]
    changed = [(old, new) for old, new in types if not same_type(old, new)]
    return ColumnChanges(
        missing=tuple(missing),
        retyped=tuple(_in_words(old, new) for old, new in changed if not widens(old, new)),
        widened=tuple(_in_words(old, new) for old, new in changed if widens(old, new)),
        moved=tuple(new for old, new in zip(sent, kept, strict=True) if old != new),
        extra=tuple(extra),
        clashing=tuple(name for name in input_schema.names if name in added),
    )


def _in_words(old: pa.Field, new: pa.Field) -> str:
    return f"{old.name}: {shown(old)} -> {shown(new)}"
