"""Writes failing rows as a Parquet file. Edge: files."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.child.result import FailingRow
from gem_core.errors import RequestError

SCHEMA = pa.schema(
    [
        ("check", pa.string()),
        ("row", pa.int64()),
        ("id", pa.string()),
        ("column", pa.string()),
        ("value", pa.string()),
        ("input_value", pa.string()),
    ]
)
"""The members of `FailingRow`."""


def write_failures(path: Path, rows: Sequence[FailingRow]) -> None:
    """Write the rows; a file without rows means that no row failed.

    Raises:
        RequestError: the file cannot be written.

    """
    columns = [[getattr(row, name) for row in rows] for name in SCHEMA.names]
    buffer = pa.BufferOutputStream()
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), buffer)
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise RequestError(f"--failures: {path}: {error.strerror}") from None
