"""Ids are counted and compared exactly, or not at all."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gem_core.audit.ids.facts import InputIds, InputLost, OutputIds
from gem_core.audit.ids.id_audit import IdAudit
from gem_core.audit.parquet.integer_range import IntegerRange
from gem_core.audit.rows.example import Example
from tests.audit.ids.audits import Ids, compared


@pytest.mark.parametrize(
    ("output", "input_ids", "missing", "extra"),
    [
        pytest.param([1, 2, 3, 4], [1, 2, 3, 4], 0, 0, id="same"),
        pytest.param([4, 2, 3, 1], [1, 2, 3, 4], 0, 0, id="other-order"),
        pytest.param([1, 2, 3, 4], [4, 2, 3, 1], 0, 0, id="input-unordered"),
        pytest.param([2, 1, 4, 3], [4, 2, 3, 1], 0, 0, id="both-unordered"),
        pytest.param([1, 1, 2, 2, 2, 2, 3], [1, 2, 3], 0, 0, id="repeated-across-batches"),
        pytest.param([1, 4], [1, 2, 3, 4, 5], 3, 0, id="missing"),
        pytest.param([1, 2, 3, 9, 10], [1, 2, 3], 0, 2, id="extra-after-the-end"),
        pytest.param([0, 5, 10], [1, 6, 11], 3, 3, id="all-else"),
        pytest.param([], [1, 2, 3, 4, 5, 6], 6, 0, id="no-output"),
        pytest.param([1], [], 0, 1, id="no-input-rows"),
        pytest.param([None, 1, None, 2], [1, None, 2], 0, 0, id="nulls-left-out"),
        pytest.param([None, None, None, 1], [None, None, None, None, 1], 0, 0, id="null-batches"),
        pytest.param([5, 1], [1, 2, 3, 4, 5, 6, 7, 2], 5, 0, id="order-breaks-late"),
        pytest.param([3, 9, 1, 7], [3, 9, 1, 7], 0, 0, id="same-order"),
    ],
)
@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.uint64()], ids=str)
@pytest.mark.parametrize("span", [None, IntegerRange(0, 11), IntegerRange(0, 5)], ids=str)
def test_missing_and_invented_ids_are_counted_exactly(
    output: Ids,
    input_ids: Ids,
    missing: int,
    extra: int,
    kind: pa.DataType,
    span: IntegerRange | None,
) -> None:
    """Whatever the footers say of the range of the ids, which may be wrong."""
    found = compared(output, input_ids, kind=kind, span=span)
    assert found.distinct == len(set(output) - {None})
    assert (found.missing, found.extra, found.not_compared) == (missing, extra, "")


def test_examples_are_the_first_few_ids() -> None:
    found = compared([1, 20, 21, 22, 23, 24, 25], [1, 2, 3])
    assert found.missing_examples == (Example(id="2"), Example(id="3"))
    assert found.extra_examples == tuple(Example(id=str(n)) for n in range(20, 25))
    assert found.extra == 6


@pytest.mark.parametrize(
    ("output", "missing", "extra"),
    [
        pytest.param(["9", "10", "11"], 0, 0, id="same"),
        pytest.param(["11", "9", "10"], 0, 0, id="unordered"),
        pytest.param(["9", "010", "11"], 1, 1, id="leading-zero"),
        pytest.param(["9", "10", "11", "+9", "9.0", "", " 9", "x", "x", "-0"], 0, 6, id="others"),
        pytest.param(["9", None, "11"], 1, 0, id="null"),
        pytest.param(["x", None, "11"], 2, 1, id="null-beside-others"),
        pytest.param(["9", "10", "11", str(-(2**63) - 1)], 0, 1, id="below-int64"),
        pytest.param(["9", "10", "11", str(2**63), "9" * 400, "٣"], 0, 3, id="no-int64"),
    ],
)
def test_text_ids_of_the_output_are_compared_with_integers_of_the_input(
    output: Ids, missing: int, extra: int
) -> None:
    """17 and "17" are the same id; "017" is another."""
    found = compared(output, [9, 10, 11], kind=pa.string(), input_kind=pa.int64())
    assert (found.missing, found.extra) == (missing, extra)
    known = [text for text in output if text is not None]
    assert (found.rows, found.distinct) == (len(known), len(set(known)))


def test_the_ends_of_int64_are_ids_in_text_too() -> None:
    ends = [-(2**63), 2**63 - 1]
    found = compared(["x", *map(str, ends)], ends, kind=pa.string(), input_kind=pa.int64())
    assert (found.missing, found.extra) == (0, 1)


def test_integers_of_the_output_are_compared_with_text_ids_of_the_input() -> None:
    found = compared([9, 10, 11], ["9", "10", "012"], kind=pa.int64(), input_kind=pa.string())
    assert (found.missing, found.extra) == (1, 1)


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_text_ids_are_compared_in_any_encoding(kind: pa.DataType) -> None:
    found = compared(["b", "a", "c", "a"], ["a", "b", "d"], kind=kind, input_kind=pa.string())
    assert (found.distinct, found.missing, found.extra) == (3, 1, 1)


def test_an_id_counts_as_matched_when_one_row_is() -> None:
    for ids in ([1, 1, 2, 3, 3], [3, 1, 3, 2, 1]):
        flags = [n == ids.index(id_) and id_ != 2 for n, id_ in enumerate(ids)]
        found = compared(ids, None, matched=flags)
        assert (found.distinct, found.distinct_matched) == (3, 2)


def test_an_id_with_two_matched_rows_counts_once() -> None:
    for size in (2, 3, 4, 9):
        found = compared([1, 1, 2, 2, 3], None, matched=[True, True, True, False, False], size=size)
        assert (found.distinct, found.distinct_matched) == (3, 2)


def test_non_integers_count_as_matched_too() -> None:
    found = compared(
        ["x", "x", "1", "y"],
        [1],
        kind=pa.string(),
        input_kind=pa.int64(),
        matched=[False, True, True, False],
    )
    assert (found.distinct, found.distinct_matched) == (3, 2)


def test_without_an_input_ids_are_counted_only() -> None:
    found = compared([3, 1, 3], None)
    assert (found.rows, found.distinct) == (3, 2)
    assert (found.missing, found.extra, found.not_compared) == (None, None, "no input")


@pytest.mark.parametrize("output", [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [1]], ids=str)
@pytest.mark.parametrize("input_ids", [[1, 2], [2, 1]], ids=str)
def test_an_input_that_is_lost_is_not_compared(output: list[int], input_ids: list[int]) -> None:
    def losing() -> Iterator[pa.Array]:
        yield pa.array(input_ids)
        raise InputLost("the input was replaced")

    parts = [(pa.array([number]), np.ones(1, np.bool_)) for number in output]
    found = IdAudit(OutputIds(pa.int64(), lambda: parts), InputIds(pa.int64(), losing))
    for part in parts:
        found.add(*part)
    facts = found.finish()
    assert facts.distinct == len(output)
    assert (facts.missing, facts.not_compared) == (None, "the input was replaced")


ids_of_any_order = st.lists(st.none() | st.integers(-8, 8), max_size=40)
ids_mostly_ordered = st.lists(st.integers(0, 60), max_size=40).map(sorted)
some_ids = ids_of_any_order | ids_mostly_ordered


spans = st.none() | st.builds(IntegerRange, st.integers(-9, 0), st.integers(0, 70))


@given(
    some_ids,
    some_ids | st.none(),
    st.integers(1, 7),
    st.sampled_from(["ints", "texts", "text", "int"]),
    spans,
)
@example([0, -1], None, 1, "ints", IntegerRange(0, 0))  # a footer that lies about the least id
def test_counts_are_those_of_pythons_sets(
    output: list[int | None],
    input_ids: list[int | None] | None,
    size: int,
    as_: str,
    span: IntegerRange | None,
) -> None:
    """Against Python's sets, for integers and text on either side.

    Without an input of its own, it is the output's sequence.
    """
    input_ids = list(output) if input_ids is None else input_ids

    def text(ids: Ids) -> Ids:
        return [None if number is None else str(number) for number in ids]

    output_set, input_set = set(output) - {None}, set(input_ids) - {None}
    flags = [bool(n and n % 3) for n in range(len(output))]
    matched = {id_ for id_, flag in zip(output, flags, strict=True) if flag} - {None}
    found = compared(
        text(output) if as_ in {"texts", "text"} else output,
        text(input_ids) if as_ in {"texts", "int"} else input_ids,
        kind=pa.string() if as_ in {"texts", "text"} else pa.int64(),
        input_kind=pa.string() if as_ in {"texts", "int"} else pa.int64(),
        matched=flags,
        size=size,
        span=span if as_ == "ints" else None,
    )
    assert found.rows == len(output) - output.count(None)
    assert (found.distinct, found.distinct_matched) == (len(output_set), len(matched))
    assert (found.missing, found.extra) == (
        len(input_set - output_set),
        len(output_set - input_set),
    )
