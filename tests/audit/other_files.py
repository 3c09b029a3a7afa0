"""Outputs whose footer was changed or whose timestamps are INT96, and what a check says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from gem_core.audit.reading.source import FileSource
from tests.audit import bombs
from tests.audit.bombs import NAME, SCHEMA
from tests.audit.build import ROWS, matched_table, write, write_bytes
from tests.audit.thrift import Struct
from tests.parquet_files import parquet_bytes

INPUT = ["id", "is_navigable", "geometry", "extra"]
FIELDS = {"gers_id", "match_confidence", "match_status", "id"}


def forged(
    folder: Path, change: Callable[[Struct], object], table: pa.Table | None = None
) -> FileSource:
    """A file of the table whose footer was changed."""
    data = parquet_bytes(matched_table() if table is None else table)
    return write_bytes(folder, bombs.with_footer(change, data))


HINT = 5
"""Key and value metadata of the FileMetaData; `ARROW:schema` is there."""


def element(footer: Struct, column: str) -> Struct:
    """The schema's element of a column."""
    (found,) = (one for one in footer[SCHEMA][1][1] if one[NAME][1] == column.encode())
    typed: Struct = found
    return typed


MOMENTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(ROWS)]


def moments(unit: str, zone: str | None = None) -> pa.Array:
    return pa.array([at.replace(tzinfo=None) for at in MOMENTS], pa.timestamp(unit, zone))


def other(values: pa.Array) -> pa.Array:
    """The same values but for the fourth row, which has the third one's."""
    return values.take(pa.array([0, 1, 2, 2, *range(4, ROWS)]))


def int96(folder: Path, table: pa.Table, name: str) -> FileSource:
    return write(folder, table, name, use_deprecated_int96_timestamps=True, store_schema=False)
