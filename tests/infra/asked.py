"""Asks the queries of alerts and workbook over log lines and runs, by duckdb-kql on DuckDB."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import duckdb_kql
import pyarrow as pa
from duckdb_kql.engine import schema

from tests.infra.contract import ROOT
from tests.infra.queries import all_queries, windows

QUERIES = all_queries(ROOT)
WINDOWS = windows(ROOT)
_TIME = pa.timestamp("us")
_CONNECTION = duckdb_kql.connect()

type Line = tuple[datetime, str]
"""When a line was logged, and its message."""
type Run = tuple[datetime, str, bool]
"""When a function ran, its name, and whether it succeeded."""


def ask(name: str, lines: Sequence[Line], runs: Sequence[Run], *, now: datetime) -> list[Any]:
    """The rows that a query gives at the moment `now`, over the time window of its alert."""
    earliest = now - _duration(WINDOWS.get(name, "P30D"))
    shift = datetime.now(UTC) - now
    lines = [line for line in lines if line[0] >= earliest]
    runs = [run for run in runs if run[0] >= earliest]
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
    for table, columns in (("AppTraces", traces), ("AppRequests", requests)):
        _CONNECTION.register("rows", pa.table(columns))
        _CONNECTION.sql(f"create or replace table {table} as from rows")
    return _CONNECTION.sql(_sql(name)).fetchall()


@cache
def _sql(name: str) -> str:
    """A query as SQL; its tables exist. To translate it takes longer than to run it."""
    return duckdb_kql.to_sql(QUERIES[name], schema(_CONNECTION))


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", text)
    assert found, text
    days, hours, minutes = (int(each or 0) for each in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
