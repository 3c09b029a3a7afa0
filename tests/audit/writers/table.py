"""One table of twenty types, as an input of GEM and as its output."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

ROWS = 12
START = datetime(2026, 1, 1, 12, 30, 15, 250_000, tzinfo=UTC)
MOMENTS = [START + timedelta(hours=7 * n, microseconds=n) for n in range(ROWS)]
LOCAL = [at.replace(tzinfo=None) for at in MOMENTS]
TEXTS = ["", "a", "é", "long " * 20] * 3

TYPES: Mapping[str, tuple[pa.DataType, list[Any]]] = {
    "bool": (pa.bool_(), [True, False] * 6),
    "int8": (pa.int8(), [-128, 127] * 6),
    "int16": (pa.int16(), [-(2**15), 2**15 - 1] * 6),
    "int32": (pa.int32(), [-(2**31), 2**31 - 1] * 6),
    "int64": (pa.int64(), [-(2**63), 2**63 - 1] * 6),
    "uint8": (pa.uint8(), [0, 255] * 6),
    "uint16": (pa.uint16(), [0, 2**16 - 1] * 6),
    "uint32": (pa.uint32(), [0, 2**32 - 1] * 6),
    "uint64": (pa.uint64(), [0, 2**64 - 1] * 6),
    "float32": (pa.float32(), [0.5, -0.0, float("nan"), float("inf")] * 3),
    "float64": (pa.float64(), [0.1, 0.0, float("nan"), float("-inf")] * 3),
    "text": (pa.string(), TEXTS),
    "category": (pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a", "c"] * 3),
    "binary": (pa.binary(), [b"", b"\0\xff"] * 6),
    "date": (pa.date32(), [date(1969, 12, 31), date(2026, 1, 21)] * 6),
    "time": (pa.time64("us"), [time(0), time(23, 59, 59, 1)] * 6),
    "local": (pa.timestamp("us"), LOCAL),
    "utc": (pa.timestamp("us", "UTC"), MOMENTS),
    "decimal": (pa.decimal128(9, 2), [Decimal("-1.10"), Decimal("1234567.89")] * 6),
    "long_decimal": (pa.decimal128(30, 4), [Decimal("1.0001"), Decimal(10) ** 25] * 6),
    "list": (pa.list_(pa.int32()), [[], [1], [1, 2], [3]] * 3),
    "struct": (pa.struct([("x", pa.float64()), ("y", pa.string())]), [{"x": 1.0, "y": "a"}] * 12),
}


UNKNOWN_TO_SPARK = {
    "no_values": pa.nulls(ROWS),
    "fixed_bytes": pa.array([bytes([n] * 16) for n in range(ROWS)], pa.binary(16)),
    "milliseconds": pa.array(
        [at.replace(microsecond=250_000) for at in MOMENTS], pa.timestamp("ms", "UTC")
    ),
    "uint64": pa.array([2**64 - 1 - n for n in range(ROWS)], pa.uint64()),
    "empty_lists": pa.array([[], [None], None] * 4, pa.list_(pa.null())),
    "bytes_by_name": pa.array(
        [[("a", bytes([n, 0]))] for n in range(ROWS)], pa.map_(pa.string(), pa.binary(2))
    ),
    "events": pa.array(
        [[{"at": at, "count": n}] for n, at in enumerate(MOMENTS)],
        pa.list_(pa.struct([("at", pa.timestamp("us", "UTC")), ("count", pa.uint8())])),
    ),
}
"""Columns of an input whose types Spark does not have; it writes other ones that hold them."""


def column(name: str) -> pa.Array:
    """The values of one type, the last row null."""
    kind, values = TYPES[name]
    return pa.array([*values[:-1], None], kind, from_pandas=False)
