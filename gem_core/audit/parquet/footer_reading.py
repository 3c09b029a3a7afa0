"""Reads a Parquet footer. Pure.

It keeps numbers of the column chunks and none of their texts, so that a footer of very many chunks
fits into memory. Source: Apache Parquet, parquet.thrift.
"""

from array import array
from collections.abc import Sequence

import numpy as np

from gem_core.audit.parquet.footer import CHILDREN, NAME, FileColumn, Footer
from gem_core.audit.parquet.thrift import (
    BINARY,
    I32,
    I64,
    LIST,
    STRUCT,
    Struct,
    integer,
    items,
    member,
    skip,
    struct,
    varint,
)
from gem_core.audit.parquet.thrift import field as next_field

_FIRST_DELTA, _LAST_DELTA = 6, 7
"""DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY."""

_ENCODINGS = (2, LIST)
_CODEC, _DECODED, _STORED, _DATA_AT, _DICTIONARY_AT = 4, 6, 7, 9, 11
"""Members of a ColumnMetaData."""

_LAST_NEEDED = 11
"""Behind it are statistics, histograms and places of bloom filters. pyarrow ends the process at
some that are wrong, and decodes without them."""


class FooterBroken(ValueError):
    """The footer is not one; the message says why."""


def read_footer(data: bytes) -> Footer:
    """Read a footer. Raises FooterBroken."""
    footer = Footer(data)
    try:
        _read(footer)
    except FooterBroken:
        raise
    except (IndexError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise FooterBroken(f"the footer is not what Parquet says: {error}") from None
    return footer


def _read(footer: Footer) -> None:
    data, at, number = footer.data, 0, 0
    found: dict[tuple[int, int], int] = {}
    while True:
        number, kind, at = next_field(data, at, number)
        if not kind:
            break
        found[number, kind] = at
        if (number, kind) == _SCHEMA:
            footer.columns = _columns(data, at)
        if (number, kind) == _GROUPS and footer.columns:
            at = _read_groups(footer, at)
        else:
            at = skip(data, at, kind)
    if missing := {_VERSION, _SCHEMA, _ROWS, _GROUPS} - found.keys():
        raise FooterBroken(f"the footer has no {' and no '.join(sorted(map(_member, missing)))}")
    footer.version, _ = integer(data, found[_VERSION])
    footer.rows, _ = integer(data, found[_ROWS])
    if _CREATED_BY in found:
        length, start = varint(data, found[_CREATED_BY])
        footer.created_by = data[start : start + length]
    footer.by_name = {column.name: column for column in footer.columns}
    if not len(footer.group_rows):
        _read_groups(footer, found[_GROUPS])  # they came before the schema, or there are none


_VERSION, _SCHEMA, _ROWS, _GROUPS, _CREATED_BY = (
    (1, I32),
    (2, LIST),
    (3, I64),
    (4, LIST),
    (6, BINARY),
)
"""Members of the FileMetaData: number and type."""


def _member(member: tuple[int, int]) -> str:
    return {1: "version", 2: "schema", 3: "number of rows", 4: "row groups"}[member[0]]


def _columns(data: bytes, at: int) -> tuple[FileColumn, ...]:
    kind, count, at = items(data, at)
    if kind != STRUCT or not count:
        raise FooterBroken("the schema is empty")
    elements = []
    for _ in range(count):
        element, at = struct(data, at)
        elements.append(element)
    columns, place, leaf = [], 1, 0
    for _ in range(_children(elements[0])):
        end = _subtree(elements, place)
        part = tuple(elements[place:end])
        leaves = sum(not _children(element) for element in part)
        name = member(part[0], NAME, BINARY, b"").decode(errors="replace")
        columns.append(FileColumn(name, part, range(leaf, leaf + leaves)))
        place, leaf = end, leaf + leaves
    if place != len(elements):
        raise FooterBroken(f"the schema has {len(elements)} elements, of which {place} are used")
    return tuple(columns)


def _children(element: Struct) -> int:
    count: int = member(element, CHILDREN, I32, 0)
    return count


def _subtree(elements: Sequence[Struct], place: int) -> int:
    """Where the elements below this one end."""
    left = 1
    while left:
        if place >= len(elements) or not 0 <= _children(elements[place]) < len(elements):
            raise FooterBroken("the schema is not a tree")
        left += _children(elements[place]) - 1
        place += 1
    return place


def _read_groups(footer: Footer, at: int) -> int:
    data = footer.data
    leaves = sum(len(column.leaves) for column in footer.columns)
    numbers, rows = array("q"), array("q")
    kind, count, at = items(data, at)
    if kind != STRUCT and count:
        raise FooterBroken("the row groups are no list of groups")
    for group in range(count):
        last, group_rows, before = 0, None, len(numbers)
        while True:
            last, kind, at = next_field(data, at, last)
            if not kind:
                break
            if last == 1 and kind == LIST:
                at = _read_chunks(footer, at, numbers)
            elif last == 3 and kind == I64:  # noqa: PLR2004 - num_rows
                group_rows, at = integer(data, at)
            else:
                at = skip(data, at, kind)
        found = (len(numbers) - before) // 5
        if found != leaves or group_rows is None or group_rows < 0:
            raise FooterBroken(
                f"row group {group} has {found} column chunks for {leaves} columns, "
                f"and {group_rows} rows"
            )
        rows.append(group_rows)
    footer.group_rows = rows
    footer.chunks = np.frombuffer(numbers, np.int64).reshape(count, leaves, 5)
    return at


def _read_chunks(footer: Footer, at: int, numbers: "array[int]") -> int:
    data = footer.data
    kind, count, at = items(data, at)
    if kind != STRUCT and count:
        raise FooterBroken("the column chunks are no list of chunks")
    for leaf in range(count):
        last, known = 0, (0, 0, 0, 0, 0)
        while True:
            last, kind, at = next_field(data, at, last)
            if not kind:
                break
            if last == 3 and kind == STRUCT:  # noqa: PLR2004 - meta_data
                known, at = _read_meta(footer, leaf, at)
                continue
            if last == 1 and kind == BINARY:
                length, name = varint(data, at)
                footer.elsewhere = footer.elsewhere or _shown(data[name : name + length])
            elif last in {8, 9}:  # crypto_metadata, encrypted_column_metadata
                footer.encrypted.add(leaf)
            at = skip(data, at, kind)
        numbers.extend(known)
    return at


def _shown(name: bytes) -> str:
    return repr(name.decode(errors="replace")[:100])


def _read_meta(footer: Footer, leaf: int, at: int) -> tuple[tuple[int, int, int, int, int], int]:
    """Read a ColumnMetaData: START to END, and where it ends itself."""
    data = footer.data
    begin, rest_at, last = at, 0, 0
    numbers: dict[int, int] = {}
    while True:
        before = at
        last, kind, at = next_field(data, at, last)
        if not kind:
            break
        if last <= _LAST_NEEDED:
            rest_at = 0
        elif not rest_at:
            rest_at = before
        if kind in {I32, I64}:
            numbers[last], at = integer(data, at)
        elif (last, kind) == _ENCODINGS:
            at = _read_encodings(footer, leaf, at)
        else:
            at = skip(data, at, kind)
    footer.codecs.add((leaf, numbers.get(_CODEC, 0)))
    # 0 says that there is no such page, as if it were left out.
    pages = (numbers.get(_DATA_AT, 0), numbers.get(_DICTIONARY_AT, 0))
    start = min((page for page in pages if page), default=0)
    sizes = numbers.get(_STORED, 0), numbers.get(_DECODED, 0)
    return (start, *sizes, begin, rest_at or before), at


def _read_encodings(footer: Footer, leaf: int, at: int) -> int:
    _, count, at = items(footer.data, at)
    for _ in range(count):
        encoding, at = integer(footer.data, at)
        if _FIRST_DELTA <= encoding <= _LAST_DELTA:
            footer.delta.add(leaf)
    return at
