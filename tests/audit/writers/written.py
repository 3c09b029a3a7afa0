"""The table of twenty types as each writer has it: made now, or read from tests/data/writers."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from tests.audit.build import input_table, matched_table
from tests.audit.writers.make import FOLDER, NO_FASTPARQUET
from tests.audit.writers.table import TYPES, column
from tests.parquet_files import parquet_bytes

type Write = Callable[[pa.Table], bytes]


def _duckdb(table: pa.Table) -> bytes:
    with TemporaryDirectory(prefix="duckdb-") as folder, duckdb.connect() as connection:
        connection.register("t", table)
        path = Path(folder, "t.parquet")
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


WRITERS: Mapping[str, Write | None] = {
    "pyarrow": parquet_bytes,
    "pyarrow-bare": lambda table: parquet_bytes(table, store_schema=False, version="1.0"),
    "duckdb": _duckdb,
    "spark": None,
    "polars": None,
    "fastparquet": None,
}
"""Those of docs/writers.md. None: what it wrote is in tests/data/writers."""

LACKS = {"spark": {"time"}, "fastparquet": NO_FASTPARQUET}
"""The types that a writer does not have."""


@cache
def written(writer: str, *, matched: bool) -> bytes:
    """The table as an output of GEM, or as its input."""
    write = WRITERS.get(writer)
    if write is None:
        return (FOLDER / f"{writer}{'_matched' * matched}.parquet").read_bytes()
    columns = {name: column(name) for name in TYPES}
    return write(matched_table(**columns) if matched else input_table(**columns))
