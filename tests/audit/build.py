"""Small inputs, outputs and jobs, right in every way unless a test says otherwise."""

import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.audit import audit
from gem_core.audit.contract import Promises, promises_of
from gem_core.audit.judging.report import Report
from gem_core.audit.options import AuditOptions, OvertureLimits
from gem_core.audit.reading.source import FileSource, Source, open_file
from gem_core.gem.contracts import known
from gem_core.gem.job import GemJob

LINEAR = {"linear_reference_values", "linear_reference_order"}
"""Checks of columns that the layout of the page does not have: not asked."""
OVERTURE = {"gers_alive", "gers_type", "gers_in_place"}
"""Checks that nobody asks for unless a test says so."""

ROWS = 12
MATCHED_ROWS = 9


@cache
def gers(number: int) -> str:
    return str(uuid.UUID(int=(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128))


def input_table(rows: int = ROWS, **columns: object) -> pa.Table:
    """What was sent to GEM. A column given as None is left out."""
    table = {
        "id": pa.array(range(100, 100 + rows), pa.int64()),
        "is_navigable": pa.array([True] * rows),
        "geometry": pa.array([f"LINESTRING (4.{n} 52, 5 53)" for n in range(rows)]),
        **columns,
    }
    return pa.table({name: column for name, column in table.items() if column is not None})


def matched_table(rows: int = ROWS, matched: int | None = None, **columns: object) -> pa.Table:
    """What GEM gave back: the first `matched` rows (three of four) are matched."""
    matched = rows * 3 // 4 if matched is None else matched
    nothing = [None] * (rows - matched)
    promised = {
        "gers_id": pa.array([gers(n) for n in range(matched)] + nothing, pa.string()),
        "match_confidence": pa.array(
            [round(0.65 + 0.3 * n / max(matched, 1), 4) for n in range(matched)] + nothing,
            pa.float64(),
        ),
        "match_status": pa.array(["matched"] * matched + ["unmatched"] * (rows - matched)),
    }
    return input_table(rows, **promised | columns)


def changed(table: pa.Table, column: str, **by_row: object) -> pa.Table:
    """The table with other values in some rows: `changed(table, "id", r3=None)`."""
    values = table.column(column).to_pylist()
    for row, value in by_row.items():
        values[int(row.removeprefix("r"))] = value
    index = table.schema.get_field_index(column)
    return table.set_column(index, column, pa.array(values, table.schema.field(column).type))


def write(
    folder: Path, table: pa.Table, name: str = "roads_matched.parquet", **options: object
) -> FileSource:
    path = folder / name
    pq.write_table(table, path, **options)
    return open_file(path)


def write_bytes(folder: Path, data: bytes, name: str = "roads_matched.parquet") -> FileSource:
    path = folder / name
    path.write_bytes(data)
    return open_file(path)


STATISTICS: dict[str, object] = {
    "roads_matched": "75.00%",
    "roads_unmatched": "25.00%",
    "roads_fully_matched": "60.00%",
    "roads_partially_matched": "15.00%",
    "confidence_threshold": 60,
    "execution_time_sec": 9751.75,
    "num_roads_processed": ROWS,
}


NO_SHARES = dict.fromkeys(
    ("roads_matched", "roads_unmatched", "roads_fully_matched", "roads_partially_matched")
)
"""The statistics of a job that names no shares; then the check `statistics_readable` fails."""


def job(statistics: Mapping[str, object] | None = None, **fields: object) -> GemJob:
    """A finished job. Statistics and fields by GEM's names; None leaves one out."""
    answer = {
        "jobRunId": "job-1",
        "inputFileName": "roads.parquet",
        "outputFileName": "roads_matched.parquet",
        "overtureRelease": "2026-01-21.0",
        "status": "finished",
        "statistics": STATISTICS | dict(statistics or {}),
        **fields,
    }
    return known.read(answer, job_run_id="job-1")


def promises_for(of: GemJob, table: pa.Table) -> Promises:
    """What the layout of a table promises, for a job."""
    promises = promises_of(of, table.schema)
    assert promises
    return promises


PROMISES = promises_for(job(), matched_table())
"""Of the contract that these jobs are read in."""


def audited(
    folder: Path,
    output: pa.Table | Source,
    *,
    input_: pa.Table | Source | None = None,
    of: GemJob | None = None,
    with_values: bool = False,
    overture: OvertureLimits | None = None,
) -> Report:
    """Audit an output, with the usual input unless there is another."""
    if isinstance(output, pa.Table):
        output = write(folder, output)
    if input_ is None:
        input_ = input_table()
    if isinstance(input_, pa.Table):
        input_ = write(folder, input_, "roads.parquet")
    options = AuditOptions(with_values=with_values, overture=overture)
    return audit(output, of or job(), input_source=input_, options=options)


def large(table: pa.Table) -> pa.Table:
    """Too large for the tail, so that reading goes on after the footer."""
    noise = [str(n * 2654435761 % 2**32) * 20 for n in range(len(table))]
    return table.set_column(2, "geometry", pa.array(noise))
