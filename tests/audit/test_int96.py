"""INT96, Spark's default, is a timestamp of microseconds."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from tests.audit.build import ROWS, audited, input_table, matched_table
from tests.audit.lines import detail
from tests.audit.other_files import MOMENTS, int96, moments, other


@pytest.mark.parametrize("nest", [lambda one: pa.struct([("t", one)]), pa.list_])
def test_int96_below_a_column_is_either_kind_of_timestamp(
    tmp_path: Path, nest: Callable[[pa.DataType], pa.DataType]
) -> None:
    rows = [[at] if nest is pa.list_ else {"t": at} for at in MOMENTS[1:]]
    for zone in (None, "UTC"):
        values = pa.array([None, *rows], nest(pa.timestamp("us", zone)))
        input_ = int96(tmp_path, input_table(extra=values), "roads.parquet")
        report = audited(tmp_path, matched_table(extra=values), input_=input_, with_values=True)
        assert report.outcome == "valid", report.failed()
        assert detail(report, "input_values_kept") == ""
        finer = values.cast(nest(pa.timestamp("ns", zone)))
        report = audited(tmp_path, matched_table(extra=finer), input_=input_, with_values=True)
        assert report.failed() == {"input_types_not_widened"}
        assert detail(report, "input_values_kept") == "columns that cannot be compared: extra"


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_int96_is_a_timestamp_of_microseconds(tmp_path: Path, zone: str | None) -> None:
    """Spark's default; INT96 does not say whether its moments are UTC."""
    far = [datetime(1, 1, 1), datetime(9999, 12, 31), *(at.replace(tzinfo=None) for at in MOMENTS)]  # noqa: DTZ001 - Spark has no other
    values = pa.array(far[:ROWS], pa.timestamp("us"))
    input_ = int96(tmp_path, input_table(extra=values), "roads.parquet")
    kept = matched_table(extra=values.cast(pa.timestamp("us", zone)))
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert report.outcome == "valid", report.failed()
    assert detail(report, "input_values_kept") == ""
    kept = matched_table(extra=other(values))
    report = audited(tmp_path, kept, input_=input_, with_values=True)
    assert detail(report, "input_values_kept") == "1 of 12 rows: extra in 1"


def test_int96_is_wider_than_milliseconds(tmp_path: Path) -> None:
    """Spark writes a moment in UTC as INT96, whatever its unit was."""
    values = moments("ms", "UTC")
    kept = matched_table(extra=values.cast(pa.timestamp("us")))
    output = int96(tmp_path, kept, "roads_matched.parquet")
    report = audited(tmp_path, output, input_=input_table(extra=values), with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert detail(report, "input_values_kept") == ""


def test_int96_beside_nanoseconds_is_not_compared(tmp_path: Path) -> None:
    input_ = int96(tmp_path, input_table(extra=moments("ns")), "roads.parquet")
    output = matched_table(extra=moments("ns"))
    report = audited(tmp_path, output, input_=input_, with_values=True)
    assert report.failed() == {"input_types_not_widened"}
    assert "(INT96)" in detail(report, "input_types_not_widened")
    assert detail(report, "input_values_kept") == "columns that cannot be compared: extra"
