"""Texts that can be no id of the input: every distinct one counts, as long as there is room."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gem_core.audit.ids.keys import to_keys
from gem_core.audit.ids.non_integers import NonIntegerIds

ROOM = 10_000


def taken(non_integers: NonIntegerIds, *parts: list[tuple[bytes, bool]]) -> NonIntegerIds:
    """Give it the texts of some batches, with whether their rows are matched."""
    for part in parts:
        matched = np.array([flag for _, flag in part], np.bool_)
        non_integers.add({place: text for place, (text, _) in enumerate(part)}, matched)
    return non_integers


@given(st.lists(st.lists(st.tuples(st.sampled_from([b"x", b"\xff", b"\xfe", b""]), st.booleans()))))
def test_each_counts_once_and_as_matched_when_any_row_is(
    parts: list[list[tuple[bytes, bool]]],
) -> None:
    non_integers = taken(NonIntegerIds(ROOM), *parts)
    rows = [row for part in parts for row in part]
    of_matched = {text for text, flag in rows if flag}
    assert non_integers.counts() == (len({text for text, _ in rows}), len(of_matched))
    assert non_integers.rows == len(rows)


@pytest.mark.parametrize(("limit", "known"), [(401, False), (402, True)])
def test_they_are_held_as_long_as_there_is_room(limit: int, *, known: bool) -> None:
    two = [(b"x", True), (b"y", False), (b"x", False)]
    non_integers = taken(NonIntegerIds(limit), two, two)
    assert non_integers.known is known
    assert non_integers.rows == 6
    assert non_integers.counts() == ((2, 1) if known else (0, 0))


def test_the_smallest_few_are_shown_in_short() -> None:
    texts = ["é".encode() * 200, b"c", b"a\xff"]
    non_integers = taken(NonIntegerIds(ROOM), [(text, True) for text in texts])
    assert non_integers.first(2) == ["a\N{REPLACEMENT CHARACTER}", "c"]
    assert non_integers.first(9)[-1] == "é" * 100


@example([str(number).encode() for number in (2**63 - 1, 2**63, -(2**63), -(2**63) - 1)])
@given(st.lists(st.none() | st.binary(max_size=3) | st.integers().map(lambda n: str(n).encode())))
def test_a_text_is_an_integer_or_stays_as_it_is(texts: list[bytes | None]) -> None:
    column = pa.array(texts, pa.binary()).view(pa.string())
    keys, non_integers = to_keys(column, pa.int64())
    numbers = {str(key).encode() for key in keys.to_pylist() if key is not None}
    assert numbers.isdisjoint(non_integers.values())
    for place, (text, key) in enumerate(zip(texts, keys.to_pylist(), strict=True)):
        if key is None:
            assert non_integers.get(place) == text
        else:
            assert str(key).encode() == text
            assert place not in non_integers
