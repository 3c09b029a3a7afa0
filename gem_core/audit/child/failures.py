"""The failing rows of a report as a Parquet file."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.judging.report import Report

MAX_ROWS_BYTES = 4 << 20
"""Of all rows of a file, as JSON. A message to the parent may have four times as much."""

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
"""Name of the check, and the members of `rows.example.Example`."""

type _Row = tuple[str, int | None, str | None, str | None, str | None, str | None]


def failures_file(report: Report) -> tuple[bytes, int]:
    """The file, and the number of its rows: 0 when no row failed."""
    rows = list(_rows(report))
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA), buffer)
    return buffer.getvalue().to_pybytes(), len(rows)


def _rows(report: Report) -> Iterator[_Row]:
    """As many as there is room for, in the order of the checks."""
    left = MAX_ROWS_BYTES
    for line in report.checks:
        for each in line.judgement.examples:
            row = (line.name, each.row, each.id, each.column, each.value, each.input_value)
            left -= len(json.dumps(row))
            if left < 0:
                return
            yield row
