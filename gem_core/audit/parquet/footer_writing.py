"""Makes the footer that pyarrow gets, of the needed columns alone. Pure."""

from collections.abc import Sequence

from gem_core.audit.parquet.footer import (
    AT,
    BYTE_ARRAY,
    CHILDREN,
    DECODED,
    END,
    NAME,
    FileColumn,
    Footer,
    physical_type,
)
from gem_core.audit.parquet.thrift import (
    BINARY,
    I32,
    I64,
    LIST,
    STRUCT,
    Struct,
    list_of,
    member,
    written,
)


def reader_footer(
    footer: Footer, columns: Sequence[FileColumn], *, with_rows: bool = True
) -> bytes:
    """A file without data whose footer has these columns alone, in this order.

    It has only the schema, and nothing that could change what a reader does. There is no metadata
    of the writer, no other column, no statistics, and nothing about encryption.

    Args:
        footer: of the file.
        columns: of the footer.
        with_rows: whether it has the row groups.

    """
    root: Struct = {NAME: (BINARY, b"schema"), CHILDREN: (I32, len(columns))}
    elements = [root, *(_annotated(part) for column in columns for part in column.elements)]
    leaves = [leaf for column in columns for leaf in column.leaves]
    groups = [_group(footer, group, leaves) for group in range(len(footer.group_rows))]
    fields: Struct = {
        1: (I32, footer.version),
        2: (LIST, list_of(STRUCT, [written(element) for element in elements])),
        3: (I64, footer.rows if with_rows else 0),
        4: (LIST, list_of(STRUCT, groups if with_rows else [])),
    }
    if footer.created_by:
        fields[6] = (BINARY, footer.created_by)  # readers know which writers had which faults
    text = written(fields)
    return b"PAR1" + text + len(text).to_bytes(4, "little") + b"PAR1"


_CHUNK = b"\x26\0\x1c"
"""The start of a ColumnChunk: member 2, an offset that nobody reads, and the start of member 3."""
_CHUNK_END = b"\0\0"


def _group(footer: Footer, group: int, leaves: Sequence[int]) -> bytes:
    spans = footer.chunks[group, leaves][:, [AT, END]].tolist()
    chunks = [_CHUNK + footer.data[begin:end] + _CHUNK_END for begin, end in spans]
    size = int(footer.chunks[group, leaves, DECODED].sum())
    return written(
        {1: (LIST, list_of(STRUCT, chunks)), 2: (I64, size), 3: (I64, footer.group_rows[group])}
    )


_STRING: Struct = {1: (STRUCT, {})}
_TEXT_LOGICAL = {4, 12}
"""ENUM and JSON in LogicalType."""
_TEXT_CONVERTED = {4, 19}
"""ENUM and JSON in ConvertedType. Both are UTF-8 by the format, and pyarrow calls them binary."""


def _annotated(element: Struct) -> Struct:
    """The element with a name that is text, and with text as its type if its values are text."""
    name = member(element, NAME, BINARY, b"").decode(errors="replace").encode()
    changed = {**element, NAME: (BINARY, name)}
    logical: Struct = member(element, 10, STRUCT, {})
    if physical_type(element) != BYTE_ARRAY:
        return changed
    if member(element, 6, I32) in _TEXT_CONVERTED or not _TEXT_LOGICAL.isdisjoint(logical):
        changed |= {6: (I32, 0), 10: (STRUCT, _STRING)}
    return changed
