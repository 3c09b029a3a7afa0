"""Parquet files in memory."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.parquet.footer import Footer
from gem_core.audit.parquet.footer_reading import read_footer


def parquet_bytes(table: pa.Table, **options: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def footer_of(data: bytes) -> Footer:
    return read_footer(data[-8 - int.from_bytes(data[-8:-4], "little") : -8])
