"""The promised columns, and what became of the input's."""

import pyarrow as pa
import pytest

from gem_core.audit.against_input.columns import ColumnChanges, comparable_columns, compare_columns
from gem_core.audit.contract import ID
from gem_core.gem.contracts.known import CONTRACTS, OTHER_LAYOUTS
from gem_core.gem.contracts.layout import Role
from tests.audit.build import PROMISES

PROMISED = PROMISES.columns


@pytest.mark.parametrize(
    "kind",
    [pa.binary(), pa.binary(16), pa.int64(), pa.list_(pa.string()), pa.struct({"x": pa.string()})],
    ids=str,
)
def test_what_is_no_text_is_named(kind: pa.DataType) -> None:
    problem = PROMISED[Role.GERS_ID].problem(pa.schema({"gers_id": kind}))
    assert problem.startswith(f"gers_id is {kind}")


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        (pa.float32(), True),
        (pa.float64(), True),
        (pa.float16(), False),
        (pa.int8(), False),
        (pa.int64(), False),
        (pa.decimal128(5, 4), False),
        (pa.string(), False),
    ],
    ids=str,
)
def test_a_confidence_is_a_float(kind: pa.DataType, *, accepted: bool) -> None:
    problem = PROMISED[Role.CONFIDENCE].problem(pa.schema({"match_confidence": kind}))
    assert (not problem) is accepted


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["x"], "there is no column gers_id"),
        (["GERS_ID"], "there is no column gers_id, but GERS_ID"),
        (["\ufeffgers_id"], r"there is no column gers_id, but '\ufeffgers_id'"),
        (["gers_id "], "there is no column gers_id, but 'gers_id '"),
        (["gers_id", "gers_id"], "gers_id occurs 2 times"),
    ],
)
def test_absent_and_repeated_columns_are_named(names: list[str], problem: str) -> None:
    schema = pa.schema([(name, pa.string()) for name in names])
    assert PROMISED[Role.GERS_ID].problem(schema) == problem
    assert PROMISES.usable(schema).names == []


def schema(**columns: pa.DataType) -> pa.Schema:
    promised = {
        "gers_id": pa.string(),
        "match_confidence": pa.float64(),
        "match_status": pa.string(),
    }
    return pa.schema({**columns, **promised})


A = pa.int64()


@pytest.mark.parametrize(
    ("output", "input_", "changes"),
    [
        pytest.param(schema(a=A, b=A), {"a": A, "b": A}, ColumnChanges(), id="kept"),
        pytest.param(schema(a=A), {"a": A, "b": A}, ColumnChanges(missing=("b",)), id="missing"),
        pytest.param(schema(a=A, b=A), {"a": A}, ColumnChanges(extra=("b",)), id="extra"),
        pytest.param(
            schema(b=A, a=A), {"a": A, "b": A}, ColumnChanges(moved=("b", "a")), id="moved"
        ),
        pytest.param(
            schema(a=pa.string()),
            {"a": A},
            ColumnChanges(retyped=("a: int64 -> string",)),
            id="retyped",
        ),
        pytest.param(
            schema(a=A),
            {"a": A, "match_status": A},
            ColumnChanges(clashing=("match_status",)),
            id="clashing",
        ),
    ],
)
def test_every_input_column_is_followed(
    output: pa.Schema, input_: dict[str, pa.DataType], changes: ColumnChanges
) -> None:
    assert compare_columns(output, pa.schema(input_), PROMISES.added) == changes


def moment(unit: str, zone: str | None = None) -> pa.DataType:
    return pa.timestamp(unit, zone)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (moment("ms"), moment("us")),
        (moment("ms", "UTC"), moment("ns", "UTC")),
        (pa.time32("ms"), pa.time64("us")),
        (pa.int32(), pa.int64()),
        (pa.uint8(), pa.int16()),
        (pa.uint8(), pa.uint64()),
        (pa.float16(), pa.float32()),
        (pa.float32(), pa.float64()),
        (pa.decimal128(5, 2), pa.decimal128(8, 3)),
    ],
    ids=str,
)
def test_a_type_that_holds_every_value_is_a_wider_one(old: pa.DataType, new: pa.DataType) -> None:
    """And the other way round it is another type."""
    there = compare_columns(schema(a=new), pa.schema({"a": old}), PROMISES.added)
    assert there == ColumnChanges(widened=(f"a: {old} -> {new}",))
    back = compare_columns(schema(a=old), pa.schema({"a": new}), PROMISES.added)
    assert back == ColumnChanges(retyped=(f"a: {new} -> {old}",))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (pa.binary(), pa.string()),
        (pa.int64(), pa.float64()),
        (pa.int64(), pa.uint64()),
        (pa.uint32(), pa.int32()),
        (pa.decimal128(5, 2), pa.decimal128(5, 3)),
        (pa.decimal128(5, 2), pa.decimal128(8, 1)),
        (pa.timestamp("ms", "UTC"), pa.timestamp("us")),
        (pa.list_(pa.int64()), pa.list_(pa.int32())),
        (pa.list_(pa.int32(), 2), pa.list_(pa.int32(), 3)),
        (pa.list_(pa.int32(), 2), pa.list_(pa.int32())),
        (pa.map_(pa.string(), pa.int32()), pa.map_(pa.string(), pa.string())),
        (pa.timestamp("us", "UTC"), pa.timestamp("us")),
    ],
    ids=str,
)
def test_another_type_is_named(old: pa.DataType, new: pa.DataType) -> None:
    changes = compare_columns(schema(a=new), pa.schema({"a": old}), PROMISES.added)
    assert changes.retyped == (f"a: {old} -> {new}",)


def test_names_that_occur_twice_are_counted_not_followed() -> None:
    input_ = pa.schema([("a", A), ("a", A), ("b", A)])
    output = pa.schema([("a", pa.string()), ("b", A), ("b", A)])
    assert compare_columns(output, input_, PROMISES.added) == ColumnChanges(
        missing=("a",), extra=("b",)
    )
    assert comparable_columns(output, input_, PROMISES.added) == ()


@pytest.mark.parametrize("twice", ["id", "gers_id"])
def test_what_occurs_twice_is_not_usable_and_the_rest_comes_in_order(twice: str) -> None:
    names = ["match_status", "id", "x", "gers_id", twice]
    usable = [name for name in names if name not in {twice, "x"}]
    assert PROMISES.usable(pa.schema([(name, pa.string()) for name in names])).names == usable


MANY = 100_000
"""Columns. Whoever goes through all names for each name takes ten minutes or more."""


def test_every_contract_keeps_the_inputs_id() -> None:
    """Input and output are paired by it, so it has one name in both."""
    layouts = (*(contract.layout for contract in CONTRACTS.values()), *OTHER_LAYOUTS)
    for layout in layouts:
        assert not layout.columns or layout.columns[Role.ID].name == ID


def test_usable_columns_have_their_roles() -> None:
    usable = PROMISES.usable(schema(id=pa.binary()))
    assert usable.columns == {
        Role.GERS_ID: "gers_id",
        Role.CONFIDENCE: "match_confidence",
        Role.STATUS: "match_status",
    }
    assert usable.only(Role.STATUS, Role.ID).names == ["match_status"]
    assert usable.repeating == {"match_status"}
    assert (usable.matched, usable.unmatched) == (("matched",), ("unmatched",))


def test_one_name_of_very_many_columns_is_counted_once() -> None:
    assert PROMISES.usable(pa.schema([("id", A)] * MANY)).names == []


@pytest.mark.slow
def test_very_many_columns_are_followed() -> None:
    names = [f"c{number}" for number in range(MANY)]
    input_ = pa.schema([(name, A) for name in names])
    output = pa.schema([(name, A) for name in reversed(names)])
    assert comparable_columns(output, input_, PROMISES.added) == tuple(names)
    assert compare_columns(output, input_, PROMISES.added) == ColumnChanges(
        moved=tuple(reversed(names))
    )
