"""Ids are counted and compared exactly, or not at all."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.ids import GivenIds, IdAudit, IdFacts, InputLost
from gem_core.audit.verdict import Example

INT64 = pa.int64()

type Ids = Sequence[int | str | None]


def batches(ids: Ids, kind: pa.DataType, size: int) -> list[pa.Array]:
    return [pa.array(ids[n : n + size], kind) for n in range(0, len(ids), size)]


def compared(
    output: Ids,
    given_ids: Ids | None,
    *,
    kind: pa.DataType = INT64,
    given_kind: pa.DataType | None = None,
    matched: Sequence[bool] | None = None,
    size: int = 3,
    **options: Any,  # noqa: ANN401 - handed on
) -> IdFacts:
    given_kind = given_kind or kind
    found = IdAudit(
        kind,
        None
        if given_ids is None
        else GivenIds(given_kind, iter(batches(given_ids, given_kind, size + 1))),
        not_compared="no input" if given_ids is None else "",
        **options,
    )
    matched = matched or [True] * len(output)
    for ids, flags in zip(
        batches(output, kind, size), batches(matched, pa.bool_(), size), strict=True
    ):
        found.add(ids, flags)
    return found.finish()


@pytest.mark.parametrize(
    ("output", "given_ids", "missing", "invented"),
    [
        pytest.param([1, 2, 3, 4], [1, 2, 3, 4], 0, 0, id="same"),
        pytest.param([4, 2, 3, 1], [1, 2, 3, 4], 0, 0, id="other-order"),
        pytest.param([1, 2, 3, 4], [4, 2, 3, 1], 0, 0, id="input-unordered"),
        pytest.param([2, 1, 4, 3], [4, 2, 3, 1], 0, 0, id="both-unordered"),
        pytest.param([1, 1, 2, 2, 2, 2, 3], [1, 2, 3], 0, 0, id="repeated-across-batches"),
        pytest.param([1, 4], [1, 2, 3, 4, 5], 3, 0, id="missing"),
        pytest.param([1, 2, 3, 9, 10], [1, 2, 3], 0, 2, id="invented-after-the-end"),
        pytest.param([0, 5, 10], [1, 6, 11], 3, 3, id="all-else"),
        pytest.param([], [1, 2, 3, 4, 5, 6], 6, 0, id="no-output"),
        pytest.param([1], [], 0, 1, id="no-input-rows"),
        pytest.param([None, 1, None, 2], [1, None, 2], 0, 0, id="nulls-left-out"),
        pytest.param([None, None, None, 1], [None, None, None, None, 1], 0, 0, id="null-batches"),
        pytest.param([5, 1], [1, 2, 3, 4, 5, 6, 7, 2], 5, 0, id="order-breaks-late"),
    ],
)
@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.uint64()], ids=str)
def test_missing_and_invented(
    output: Ids, given_ids: Ids, missing: int, invented: int, kind: pa.DataType
) -> None:
    found = compared(output, given_ids, kind=kind)
    assert (found.missing, found.invented, found.not_compared) == (missing, invented, "")


def test_examples_are_the_first_few_ids() -> None:
    found = compared([1, 20, 21, 22, 23, 24, 25], [1, 2, 3])
    assert found.missing_examples == (Example(id="2"), Example(id="3"))
    assert found.invented_examples == tuple(Example(id=str(n)) for n in range(20, 25))
    assert found.invented == 6


@pytest.mark.parametrize(
    ("output", "missing", "invented"),
    [
        pytest.param(["9", "10", "11"], 0, 0, id="same"),
        pytest.param(["11", "9", "10"], 0, 0, id="unordered"),
        pytest.param(["9", "010", "11"], 1, 1, id="leading-zero"),
        pytest.param(["9", "10", "11", "+9", "9.0", "", " 9", "x", "x", "-0"], 0, 6, id="others"),
        pytest.param(["9", None, "11"], 1, 0, id="null"),
        pytest.param(["9", "10", "11", str(2**63), "9" * 400, "٣"], 0, 3, id="no-int64"),
    ],
)
def test_an_output_with_text_for_integers(output: Ids, missing: int, invented: int) -> None:
    """17 and "17" are the same id; "017" is another."""
    found = compared(output, [9, 10, 11], kind=pa.string(), given_kind=pa.int64())
    assert (found.missing, found.invented) == (missing, invented)
    known = [text for text in output if text is not None]
    assert (found.rows, found.distinct) == (len(known), len(set(known)))


def test_the_ends_of_int64_are_ids_in_text_too() -> None:
    ends = [-(2**63), 2**63 - 1]
    found = compared(["x", *map(str, ends)], ends, kind=pa.string(), given_kind=pa.int64())
    assert (found.missing, found.invented) == (0, 1)


def test_an_output_with_integers_for_text() -> None:
    found = compared([9, 10, 11], ["9", "10", "012"], kind=pa.int64(), given_kind=pa.string())
    assert (found.missing, found.invented) == (1, 1)


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_text_in_any_encoding(kind: pa.DataType) -> None:
    found = compared(["b", "a", "c", "a"], ["a", "b", "d"], kind=kind, given_kind=pa.string())
    assert (found.distinct, found.missing, found.invented) == (3, 1, 1)


def test_an_id_counts_as_matched_when_one_row_is() -> None:
    for ids in ([1, 1, 2, 3, 3], [3, 1, 3, 2, 1]):
        flags = [n == ids.index(id_) and id_ != 2 for n, id_ in enumerate(ids)]
        found = compared(ids, None, matched=flags)
        assert (found.distinct, found.distinct_matched) == (3, 2)


def test_strangers_count_as_matched_too() -> None:
    found = compared(
        ["x", "x", "1", "y"],
        [1],
        kind=pa.string(),
        given_kind=pa.int64(),
        matched=[False, True, True, False],
    )
    assert (found.distinct, found.distinct_matched) == (3, 2)


def test_without_an_input_ids_are_counted_only() -> None:
    found = compared([3, 1, 3], None)
    assert (found.rows, found.distinct) == (3, 2)
    assert (found.missing, found.invented, found.not_compared) == (None, None, "no input")


ORDERED = list(range(1000))
SHUFFLED = [*range(500, 1000), *range(500)]


@pytest.mark.parametrize(
    ("output", "given_ids", "counted", "compared_"),
    [
        pytest.param(ORDERED, ORDERED, True, True, id="ordered-needs-no-memory"),
        pytest.param(SHUFFLED, ORDERED, False, False, id="output-unordered"),
        pytest.param(ORDERED, SHUFFLED, True, False, id="input-unordered"),
        pytest.param(SHUFFLED, None, False, False, id="no-input"),
    ],
)
def test_beyond_the_memory_bound_nothing_is_guessed(
    output: Ids, given_ids: Ids | None, *, counted: bool, compared_: bool
) -> None:
    found = compared(output, given_ids, size=100, limit_bytes=2000)
    assert (found.distinct == 1000) is counted
    assert (found.missing == 0) is compared_
    assert ("2000 bytes" in found.not_counted) is not counted
    if given_ids:
        assert ("2000 bytes" in found.not_compared) is not compared_


def test_an_output_that_fits_is_counted_though_the_input_does_not() -> None:
    found = compared(SHUFFLED, SHUFFLED, size=100, limit_bytes=10_000)
    assert found.distinct == 1000
    assert found.missing is None
    assert "10000 bytes" in found.not_compared


def test_too_many_strangers_are_not_guessed_at() -> None:
    found = compared(
        [f"x{n}" for n in range(50)],
        [1, 2],
        kind=pa.string(),
        given_kind=pa.int64(),
        limit_bytes=4000,
    )
    assert (found.rows, found.distinct, found.invented) == (50, None, None)
    assert "4000 bytes" in found.not_compared


@pytest.mark.parametrize("output", [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [1]], ids=str)
def test_an_input_that_is_lost_is_not_compared(output: list[int]) -> None:
    def losing() -> Iterator[pa.Array]:
        yield pa.array([1, 2])
        raise InputLost("the input was replaced")

    found = IdAudit(pa.int64(), GivenIds(pa.int64(), losing()))
    for number in output:
        found.add(pa.array([number]), pa.array([True]))
    facts = found.finish()
    assert facts.distinct == len(output)
    assert (facts.missing, facts.not_compared) == (None, "the input was replaced")


ids_of_any_order = st.lists(st.none() | st.integers(-8, 8), max_size=40)
ids_mostly_ordered = st.lists(st.integers(0, 60), max_size=40).map(sorted)
some_ids = ids_of_any_order | ids_mostly_ordered


@given(some_ids, some_ids, st.integers(1, 7), st.sampled_from(["ints", "texts", "text", "int"]))
def test_sets_agree(
    output: list[int | None], given_ids: list[int | None], size: int, as_: str
) -> None:
    """Against Python's sets, for integers and text on either side."""

    def text(ids: Ids) -> Ids:
        return [None if number is None else str(number) for number in ids]

    ours, theirs = set(output) - {None}, set(given_ids) - {None}
    flags = [bool(n and n % 3) for n in range(len(output))]
    matched = {id_ for id_, flag in zip(output, flags, strict=True) if flag} - {None}
    found = compared(
        text(output) if as_ in {"texts", "text"} else output,
        text(given_ids) if as_ in {"texts", "int"} else given_ids,
        kind=pa.string() if as_ in {"texts", "text"} else pa.int64(),
        given_kind=pa.string() if as_ in {"texts", "int"} else pa.int64(),
        matched=flags,
        size=size,
    )
    assert found.rows == len(output) - output.count(None)
    assert (found.distinct, found.distinct_matched) == (len(ours), len(matched))
    assert (found.missing, found.invented) == (len(theirs - ours), len(ours - theirs))
