"""The columns of a file as Arrow types, made of what Parquet says about them alone.

A writer leaves hints in `ARROW:schema`, which only readers of its own kind need. They are ignored:
one Parquet type is always the same Arrow type here.
"""

from collections.abc import Sequence

import pyarrow as pa

from gem_core.audit.arrow.types import marked, unknown_type
from gem_core.audit.parquet.decoding import open_footer
from gem_core.audit.parquet.footer import FileColumn, Footer, int96_leaves
from gem_core.audit.parquet.footer_writing import reader_footer
from gem_core.audit.parquet.reader_errors import in_short, is_shortage


def schema_of(footer: Footer) -> pa.Schema:
    """The columns of a file, marked with why one cannot be read (`types.unreadable`).

    Raises:
        what pyarrow raises when memory is short.

    """
    try:
        found = [(field, "") for field in _fields(footer, footer.columns)]
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        found = [_field(footer, column) for column in footer.columns]
    closed = footer.unreadable()
    return pa.schema(
        marked(field, int96=int96_leaves(column), unreadable=closed.get(column.name, problem))
        for (field, problem), column in zip(found, footer.columns, strict=True)
    )


def _fields(footer: Footer, columns: Sequence[FileColumn]) -> Sequence[pa.Field]:
    return [*open_footer(reader_footer(footer, columns, with_rows=False)).schema_arrow]


def _field(footer: Footer, column: FileColumn) -> tuple[pa.Field, str]:
    """The column, and why pyarrow has no type for it."""
    try:
        (field,) = _fields(footer, [column])
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        if is_shortage(error):
            raise
        problem = f"pyarrow has no type for {column.name[:100]}: {in_short(error)}"
        return pa.field(column.name, unknown_type(repr(column.elements))), problem
    return field, ""
