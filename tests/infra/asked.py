"""Asks the queries of alerts and workbook over log lines and runs, by duckdb-kql on DuckDB."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb_kql
import pyarrow as pa
from duckdb_kql.engine import schema

from tests.infra.contract import ROOT
from tests.infra.queries import all_queries, duration, windows

QUERIES = all_queries(ROOT)
LONGEST = all_queries(ROOT, waiting=1380)["manifests-waiting"]
"""By the most that `WAITING_MINUTES` may be; tests/infra/test_parameters.py holds the limit."""
WINDOWS = windows(ROOT)
_TIME = pa.timestamp("us")
_CONNECTION = duckdb_kql.connect()

type Line = tuple[datetime, str]
"""When a line was logged, and its message."""
type Run = tuple[datetime, str, bool]
"""When a function ran, its name, and whether it succeeded."""


def ask(
    name: str,
    lines: Sequence[Line],
    runs: Sequence[Run],
    *,
    now: datetime,
    operations: Sequence[Line] = (),
    query: str = "",
) -> list[Any]:
    """The rows that a query gives, over the time window of its alert.

    Args:
        name: of the query.
        lines: what the app has logged.
        runs: the runs of functions.
        now: the present moment, on the clock of lines and runs.
        operations: what the workspace has logged about itself.
        query: asked instead of the one that is deployed by default.

    """
    earliest = now - duration(WINDOWS.get(name, "P30D"))
    shift = datetime.now(UTC) - now
    lines = [line for line in lines if line[0] >= earliest]
    runs = [run for run in runs if run[0] >= earliest]
    operations = [line for line in operations if line[0] >= earliest]
    traces = {
        "TimeGenerated": pa.array([line[0] + shift for line in lines], _TIME),
        "Message": pa.array([line[1] for line in lines], pa.string()),
        "AppRoleName": pa.array(["app"] * len(lines), pa.string()),
    }
    requests = {
        "TimeGenerated": pa.array([run[0] + shift for run in runs], _TIME),
        "OperationName": pa.array([run[1] for run in runs], pa.string()),
        "Success": pa.array([run[2] for run in runs], pa.bool_()),
        "AppRoleName": pa.array(["app"] * len(runs), pa.string()),
    }
    workspace = {
        "TimeGenerated": pa.array([line[0] + shift for line in operations], _TIME),
        "Category": pa.array(["Ingestion"] * len(operations), pa.string()),
        "Detail": pa.array([line[1] for line in operations], pa.string()),
    }
    tables = {"AppTraces": traces, "AppRequests": requests, "_LogOperation": workspace}
    for table, columns in tables.items():
        _CONNECTION.register("rows", pa.table(columns))
        _CONNECTION.sql(f"create or replace table {table} as from rows")
    return _CONNECTION.sql(_sql(query or QUERIES[name])).fetchall()


@cache
def _sql(query: str) -> str:
    """A query as SQL; its tables exist. To translate it takes longer than to run it."""
    return duckdb_kql.to_sql(query, schema(_CONNECTION))
