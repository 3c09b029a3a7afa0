"""Faults of an output: functions from a table to a table with the fault, or to bytes. Pure."""

import io
from collections.abc import Callable
from itertools import cycle

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from devkit.simulator.generation import PAGE, Generation
from devkit.simulator.life import OutputFault

type TableFault = Callable[[pa.Table], pa.Table]

EVERY = 10
"""Every tenth matched row gets the fault."""
_GROUP_ROWS = 10_000
REMOVED_ID = "0f5b8f0e-3c52-4b8a-9d3c-6f1f0a5d2e01"
ELSEWHERE_ID = "3a7c1d94-58e6-4f2b-8b60-2d9c4e7f1a02"
CONNECTOR_ID = "c41e9b27-7a03-4d5c-a8f9-5b3e0d6c8f03"
"""GERS ids that are wrong for every road; see `overture.SimulatedOverture`."""


def output_bytes(
    table: pa.Table,
    fault: OutputFault | None,
    *,
    generation: Generation = PAGE,
) -> bytes:
    """The Parquet file of a table, with or without a fault.

    Args:
        table: the correct output.
        fault: the fault, or None.
        generation: whose columns the file has.

    """
    if fault is OutputFault.EMPTY:
        return b""
    sink = io.BytesIO()
    if fault is OutputFault.CSV:
        pyarrow.csv.write_csv(table, sink)
        return sink.getvalue()
    spoil = TABLE_FAULTS.get(fault) if fault else None
    spoiled = spoil(table) if spoil else table
    pq.write_table(generation.table(spoiled), sink, row_group_size=_GROUP_ROWS)
    data = sink.getvalue()
    return data[: len(data) // 2] if fault is OutputFault.TRUNCATED else data


def low_confidence(table: pa.Table) -> pa.Table:
    """Some matched rows have a confidence below the job's threshold."""
    return _spoil(table, "match_confidence", 0.41)


def gers_id_missing(table: pa.Table) -> pa.Table:
    """Some matched rows have no GERS id."""
    return _spoil(table, "gers_id", None)


def gers_id_malformed(table: pa.Table) -> pa.Table:
    """Some GERS ids have a form that occurs only in GEM's glossary."""
    return _spoil(table, "gers_id", "R_78212")


def gers_id_wrong(table: pa.Table) -> pa.Table:
    """Some GERS ids are those of a removed segment, of one far away, and of a connector."""
    return _spoil(table, "gers_id", REMOVED_ID, ELSEWHERE_ID, CONNECTOR_ID)


def status_unknown(table: pa.Table) -> pa.Table:
    """Some rows have the status "Matched", which is not an allowed value."""
    return _spoil(table, "match_status", "Matched")


def confidence_above_one(table: pa.Table) -> pa.Table:
    """Some confidences are above 1."""
    return _spoil(table, "match_confidence", 1.5)


def confidence_in_percent(table: pa.Table) -> pa.Table:
    """The confidence is a whole percentage instead of a number from 0 to 1."""
    values = table.column("match_confidence").to_pylist()
    percents = [None if value is None else round(value * 100) for value in values]
    return _replaced(table, "match_confidence", pa.array(percents, pa.int64()))


def column_missing(table: pa.Table) -> pa.Table:
    """There is no column match_confidence."""
    return table.drop_columns(["match_confidence"])


def rows_lost(table: pa.Table) -> pa.Table:
    """The last tenth of the rows is missing, at least one row."""
    return table.slice(0, table.num_rows - max(table.num_rows // 10, 1))


def ids_invented(table: pa.Table) -> pa.Table:
    """The first road has an id that the input does not have; its real id is missing."""
    ids = table.column("id").to_pylist()
    return _replaced(table, "id", pa.array([max(ids) + 1, *ids[1:]], pa.int64()))


TABLE_FAULTS: dict[OutputFault, TableFault] = {
    OutputFault.LOW_CONFIDENCE: low_confidence,
    OutputFault.GERS_ID_MISSING: gers_id_missing,
    OutputFault.GERS_ID_MALFORMED: gers_id_malformed,
    OutputFault.GERS_ID_WRONG: gers_id_wrong,
    OutputFault.STATUS_UNKNOWN: status_unknown,
    OutputFault.CONFIDENCE_IN_PERCENT: confidence_in_percent,
    OutputFault.CONFIDENCE_ABOVE_ONE: confidence_above_one,
    OutputFault.COLUMN_MISSING: column_missing,
    OutputFault.ROWS_LOST: rows_lost,
    OutputFault.IDS_INVENTED: ids_invented,
}


def _spoil(table: pa.Table, column: str, *others: str | float | None) -> pa.Table:
    """The first matched row and every tenth after it get another value, each in turn."""
    statuses = table.column("match_status").to_pylist()
    matched = [row for row, status in enumerate(statuses) if status == "matched"]
    values = table.column(column).to_pylist()
    for row, value in zip(matched[::EVERY], cycle(others), strict=False):
        values[row] = value
    return _replaced(table, column, pa.array(values, table.schema.field(column).type))


def _replaced(table: pa.Table, column: str, values: pa.Array) -> pa.Table:
    place = table.schema.get_field_index(column)
    field = pa.field(column, values.type, nullable=table.schema.field(column).nullable)
    return table.set_column(place, field, values)
