"""The table of twenty types as each writer has it: made now, or read from tests/data/writers."""

from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.audit import bombs
from tests.audit.bombs import CHILDREN, NAME, SCHEMA
from tests.audit.build import input_table, matched_table
from tests.audit.thrift import I32, Struct
from tests.audit.writers.make import FOLDER, NO_FASTPARQUET
from tests.audit.writers.table import TYPES, column

type Write = Callable[[pa.Table], bytes]


def _pyarrow(table: pa.Table, **options: object) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _duckdb(table: pa.Table) -> bytes:
    with TemporaryDirectory(prefix="duckdb-") as folder, duckdb.connect() as connection:
        connection.register("t", table)
        path = Path(folder, "t.parquet")
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


SPARK_TYPES = {
    "uint8": pa.int16(),
    "uint16": pa.int32(),
    "uint32": pa.int64(),
    "uint64": pa.decimal128(20, 0),
}
"""Spark has no integers without a sign."""


def _spark(table: pa.Table) -> bytes:
    """As Spark lays it out: INT96, decimals as integers, lists of two levels, no type of times."""
    table = table.drop_columns([name for name in ("time",) if name in table.schema.names])
    for name, kind in SPARK_TYPES.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(kind))
    # Of two levels, a list has no null.
    elements = pa.list_(pa.field("element", pa.int32(), nullable=False))
    place = table.schema.get_field_index("list")
    table = table.set_column(place, "list", table.column("list").cast(elements))
    data = _pyarrow(
        table,
        store_schema=False,
        use_deprecated_int96_timestamps=True,
        store_decimal_as_integer=True,
    )
    return bombs.with_footer(_two_levels, data)


def _two_levels(footer: Struct) -> None:
    """`repeated group list { required int32 element }` becomes `repeated int32 array`."""
    elements = footer[SCHEMA][1][1]
    (place,) = (
        number
        for number, one in enumerate(elements)
        if one[NAME][1] == b"list" and elements[number + 1][NAME][1] == b"element"
    )
    group, element = elements[place], elements[place + 1]
    assert group[CHILDREN] == (I32, 1)
    elements[place : place + 2] = [element | {NAME: (8, b"array"), 3: (I32, 2)}]


WRITERS: Mapping[str, Write | None] = {
    "pyarrow": _pyarrow,
    "pyarrow-bare": lambda table: _pyarrow(table, store_schema=False, version="1.0"),
    "duckdb": _duckdb,
    "spark": _spark,
    "polars": None,
    "fastparquet": None,
}
"""None: what it wrote is in tests/data/writers."""

LACKS = {"spark": {"time"}, "fastparquet": NO_FASTPARQUET}
"""The types that a writer does not have."""


@cache
def written(writer: str, *, matched: bool) -> bytes:
    """The table as an output of GEM, or as its input."""
    write = WRITERS[writer]
    if write is None:
        return (FOLDER / f"{writer}{'_matched' * matched}.parquet").read_bytes()
    columns = {name: column(name) for name in TYPES}
    return write(matched_table(**columns) if matched else input_table(**columns))
