"""Rows of two files are paired by id while the output follows the input's order, or not at all."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from gem_core.audit.against_input.pairing import CannotPair, pairs
from gem_core.audit.ids.keys import key_type

type Ids = list[int | str | None]


def batches(ids: Ids, size: int, kind: pa.DataType) -> Iterator[pa.RecordBatch]:
    """The column `n` counts the file's rows."""
    whole = pa.record_batch([pa.array(ids, kind), pa.array(range(len(ids)))], names=["id", "n"])
    for start in range(0, len(ids), size):
        yield whole.slice(start, size)
        yield whole.slice(0, 0)


def partners(
    output: Ids,
    input_ids: Ids,
    *,
    size: int = 3,
    kind: pa.DataType | None = None,
    input_kind: pa.DataType | None = None,
) -> list[int]:
    """For each row of the output, the number of the input's row."""
    kind, input_kind = kind or pa.int64(), input_kind or pa.int64()
    found: list[int] = []
    for output_rows, input_rows in pairs(
        batches(output, size, kind),
        batches(input_ids, size + 1, input_kind),
        key_type(kind, input_kind),
    ):
        first = len(found)
        assert output_rows.column("n").to_pylist() == list(
            range(first, first + output_rows.num_rows)
        )
        assert input_rows.num_rows == output_rows.num_rows > 0
        found += input_rows.column("n").to_pylist()
    assert len(found) == len(output)
    return found


@pytest.mark.parametrize(
    ("output", "input_ids", "expected"),
    [
        pytest.param([1, 2, 3, 4], [1, 2, 3, 4], [0, 1, 2, 3], id="one-to-one"),
        pytest.param([9, 2, 5, 1], [9, 2, 5, 1], [0, 1, 2, 3], id="in-no-order"),
        pytest.param([1, 1, 1, 2, 3, 3], [1, 2, 3], [0, 0, 0, 1, 2, 2], id="in-parts"),
        pytest.param([1] * 9, [1], [0] * 9, id="one-road"),
        pytest.param([1, 3, 6], [1, 2, 3, 4, 5, 6], [0, 2, 5], id="some-left-out"),
        pytest.param([2, 2, 9, 9], [1, 2, 3, 9, 10], [1, 1, 3, 3], id="parts-and-left-out"),
        pytest.param([5, 5, 7, 7], [5, 5, 7, 7], [0, 1, 2, 3], id="repeats-one-to-one"),
        pytest.param([None, 1, None], [None, 1, None], [0, 1, 2], id="nulls-in-their-places"),
        pytest.param([], [1, 2], [], id="no-output"),
        pytest.param([1], [1, 2, 3, 4, 5, 6, 7, 8, 9], [0], id="the-rest-left-out"),
    ],
)
def test_each_row_of_the_output_finds_its_row_of_the_input(
    output: Ids, input_ids: Ids, expected: list[int]
) -> None:
    for size in (1, 2, 3, 100):
        assert partners(output, input_ids, size=size) == expected


@pytest.mark.parametrize(
    ("output", "input_ids", "row", "why"),
    [
        pytest.param([1, 2, 4, 3], [1, 2, 3, 4], 3, "order", id="another-order"),
        pytest.param([1, 2, 1], [1, 2, 3], 2, "order", id="parts-apart"),
        pytest.param([1, 2, 9], [1, 2, 3], 2, "order", id="extra"),
        pytest.param([1, 2, 9], [1, 2], 2, "order", id="extra-at-the-end"),
        pytest.param([1], [], 0, "order", id="no-input"),
        pytest.param([5, 5, 5], [5, 5], 2, "repeat in the input", id="which-of-two"),
        pytest.param([5, 6], [5, 5, 6], 1, "repeat in the input", id="which-was-it"),
        pytest.param([1, None, None], [1, None, 2], 2, "order", id="null-is-no-id"),
        pytest.param([2, None], [1, 2, 3, None], 1, "order", id="null-is-not-looked-for"),
    ],
)
def test_what_cannot_be_paired_is_reported(output: Ids, input_ids: Ids, row: int, why: str) -> None:
    with pytest.raises(CannotPair, match=why) as caught:
        partners(output, input_ids, size=100)
    assert str(caught.value).startswith(f"from row {row} on")


def test_text_and_integers_are_the_same_ids() -> None:
    text = {"kind": pa.string(), "input_kind": pa.int64()}
    assert partners(["1", "2", "2"], [1, 2], **text) == [0, 1, 1]
    with pytest.raises(CannotPair, match="cannot have"):
        partners(["1", "02"], [1, 2], **text)


def test_a_row_is_looked_for_in_the_next_batch_and_no_further() -> None:
    """Else one extra id would read the input to its end."""
    assert partners([0, 5], list(range(6)), size=2) == [0, 5]
    with pytest.raises(CannotPair, match="order"):
        partners([0, 99], list(range(100)), size=2)


@given(
    st.lists(st.integers(0, 3), max_size=30),
    st.integers(1, 6),
    st.permutations(range(30)),
)
def test_every_row_that_is_paired_has_the_id(times: list[int], size: int, order: list[int]) -> None:
    """An input of distinct ids, of which the output has each so many times, one after another."""
    input_ids: Ids = [*order[: len(times)]]
    rows = [n for n, count in enumerate(times) for _ in range(count)]
    output = [input_ids[n] for n in rows]
    try:
        assert partners(output, input_ids, size=size) == rows
    except CannotPair:
        event("out of step")
        gaps = "".join(str(min(count, 1)) for count in times)
        assert "0" * size in gaps, "only a long gap may end it"
