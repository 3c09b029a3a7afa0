"""Values of every type that a Parquet file can hold are compared."""

import io
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.against_input.equality import differing
from tests.parquet_files import parquet_bytes

NAN, INF = math.nan, math.inf
PAIR = pa.struct([("x", pa.float64()), ("y", pa.string())])

DIFFERENT: list[tuple[pa.DataType, list[Any]]] = [
    (pa.bool_(), [True, False]),
    *((kind, [0, 1, 127]) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    *((kind, [0, 1, 255]) for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())),
    *((kind, [0.0, 1.5, NAN, INF, -INF]) for kind in (pa.float32(), pa.float64())),
    (pa.float16(), [np.float16(value) for value in (0.0, 1.5, NAN, INF)]),
    (pa.string(), ["", " ", "a", "a\n", "é", "e\u0301", "long" * 50]),
    (pa.binary(), [b"", b"\0", b"\xff"]),
    (pa.binary(2), [b"\0\0", b"\0\1"]),
    (pa.decimal128(9, 2), [Decimal("0.00"), Decimal("1.10"), Decimal("-1.10")]),
    (pa.decimal256(60, 2), [Decimal("0.00"), Decimal(10) ** 50]),
    (pa.date32(), [date(1970, 1, 1), date(2026, 1, 21)]),
    (pa.time32("ms"), [time(0), time(12, 30)]),
    (pa.time64("us"), [time(0), time(12, 30, 0, 1)]),
    (pa.timestamp("us"), [datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1)]),  # noqa: DTZ001
    (pa.timestamp("ns", "UTC"), [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]),
    (pa.list_(pa.int32()), [[], [1], [1, 2], [None], [2, 1], [1, None]]),
    (pa.list_(pa.list_(pa.float32())), [[], [[]], [[1.0]], [[NAN]], [None], [[1.0], []]]),
    (PAIR, [{"x": 1.0, "y": "a"}, {"x": NAN, "y": "a"}, {"x": None, "y": "a"}, {"x": 1.0}]),
    (pa.list_(PAIR), [[], [{"x": 1.0, "y": "a"}], [{"x": NAN, "y": "a"}], [None]]),
    (pa.struct([("in", PAIR)]), [{"in": None}, {"in": {"x": NAN, "y": None}}, {"in": {"x": 1.0}}]),
    (
        pa.map_(pa.string(), pa.int32()),
        [[], [("a", 1)], [("a", 2)], [("b", 1)], [("a", None)], [("a", 1), ("b", 1)]],
    ),
]
"""Types, and values of right_values that all differ from one another (and from null)."""


def array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind, from_pandas=False)


def rows_that_differ(left: pa.Array, right: pa.Array) -> list[int]:
    found = differing(left, right)
    return [] if found is None else np.flatnonzero(found).tolist()


@pytest.mark.parametrize(("kind", "values"), DIFFERENT, ids=lambda part: str(part)[:40])
def test_each_value_equals_itself_alone(kind: pa.DataType, values: list[Any]) -> None:
    """Also within a slice, after a trip through a file, and beside null."""
    known = [value for value in values if value is not None] + [None]
    pairs = [(left, right) for left in range(len(known)) for right in range(len(known))]
    for start in (0, 1, len(known)):
        left_values = array([known[-1]] * start + [known[left] for left, _ in pairs], kind)[start:]
        right_values = array([known[0]] * 3 + [known[right] for _, right in pairs], kind)[3:]
        expected = [n for n, (left, right) in enumerate(pairs) if left != right]
        assert rows_that_differ(left_values, right_values) == expected
    assert rows_that_differ(through_a_file(left_values), right_values) == expected
    assert differing(left_values, through_a_file(left_values)) is None


def through_a_file(column: pa.Array) -> pa.Array:
    file = io.BytesIO(parquet_bytes(pa.table({"a": column})))
    read = pq.ParquetFile(file, arrow_extensions_enabled=False)
    return pa.concat_arrays(read.read().column(0).chunks)


def test_minus_zero_and_other_nans_are_the_same_numbers() -> None:
    other_nan = np.array([0x7FF0000000000001], np.uint64).view(np.float64)
    left = pa.array(np.concatenate([[0.0, NAN], other_nan]))
    right = pa.array([-0.0, *other_nan, NAN])
    assert differing(left, right) is None


def test_the_nullability_of_a_part_does_not_count() -> None:
    strict = pa.struct([pa.field("x", pa.int32(), nullable=False)])
    loose = pa.struct([pa.field("x", pa.int32())])
    assert rows_that_differ(array([{"x": 1}, {"x": 2}], strict), array([{"x": 1}] * 2, loose)) == [
        1
    ]


def test_columns_of_nothing_but_nulls_are_equal() -> None:
    assert differing(pa.nulls(3), pa.nulls(3)) is None
    assert differing(pa.nulls(0, pa.int32()), pa.nulls(0, pa.int32())) is None


floats = st.none() | st.sampled_from([0.0, -0.0, 1.0, NAN, INF])
nested = st.none() | st.lists(st.none() | st.fixed_dictionaries({"x": floats}), max_size=3)
NESTED = pa.list_(pa.struct([("x", pa.float64())]))


def same(left: Any, right: Any) -> bool:  # noqa: ANN401 - any value
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return same(left["x"], right["x"])
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (left != left and right != right)  # noqa: PLR0124 - NaN
    return left is None and right is None


@given(st.lists(st.tuples(nested, nested), max_size=20), st.integers(0, 4))
def test_nested_values_agree_with_a_plain_reading(rows: list[tuple[Any, Any]], start: int) -> None:
    left_values, right_values = (
        array([row[side] for row in rows], NESTED)[start:] for side in (0, 1)
    )
    expected = [n for n, (left, right) in enumerate(rows[start:]) if not same(left, right)]
    assert rows_that_differ(left_values, right_values) == expected
