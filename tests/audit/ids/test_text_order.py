"""The order of texts is that of their bytes, and stable."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.ids.text_order import order_of, take_texts

WORDS = ["", "a", "ab", "abcdefgh", "abcdefghi", "abcdefgh\0", "ä", "\U0001f600"]
texts = st.one_of(
    st.lists(st.text()),
    st.lists(st.text("ab\0", max_size=12)),
    st.lists(st.sampled_from(WORDS)),
    st.lists(st.integers(0, 99).map("road-of-europe-{:05d}".format)),
    st.lists(st.integers(0, 3).map("the-same-first-bytes-{}".format)),
)


@given(texts, st.integers(0, 3))
def test_the_order_is_that_of_the_bytes(ids: list[str], start: int) -> None:
    array = pa.array(ids, pa.string()).slice(start)
    held = [text.encode() for text in array.to_pylist()]
    expected = sorted(range(len(held)), key=lambda position: held[position])
    assert order_of(array).tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 5000])
def test_any_number_of_texts_is_put_in_order(count: int) -> None:
    ids = [str(n * 7919 % 5003) for n in range(count)]
    assert [ids[n] for n in order_of(pa.array(ids, pa.string()))] == sorted(ids)


@given(texts, st.integers(0, 3))
def test_the_texts_at_positions_are_taken(ids: list[str], start: int) -> None:
    array = pa.array(ids, pa.string()).slice(start)
    positions = order_of(array)[::2]
    assert take_texts(array, positions).equals(array.take(pa.array(positions)))
