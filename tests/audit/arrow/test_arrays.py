"""The fast tests of buffers agree with a test of each row."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.arrow.arrays import numbers, true_at, valid, valid_exactly_at
from gem_core.audit.arrow.text import escaped, surely_none_blank
from gem_core.audit.rows import gers_formats
from gem_core.audit.rows.gers import GersFormat
from gem_core.audit.rows.gers_formats import UniformIds
from tests.audit.build import gers

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HEX = re.compile(r"[0-9a-fA-F]{32}")


def uniform_format(texts: pa.StringArray) -> UniformIds | None:
    return gers_formats.uniform_format(texts, valid(texts))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n", r"a\n"),
        (r"é\n", r"é\\n"),
        ("\u202e\0", r"\u202e\x00"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("\0" * 50, (r"\x00" * 50)[:79] + "…"),
        ("𝄞" * 80, "𝄞" * 80),
        ("", ""),
        (None, None),
    ],
)
def test_everything_in_a_text_can_be_seen(text: str | None, shown: str | None) -> None:
    assert escaped(pa.scalar(text, pa.string())) == shown
    assert escaped(pa.array([text, "b"]).dictionary_encode()[0]) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (pa.scalar(b"\0\xff"), "0x00ff"),
        (pa.scalar(b"ab", pa.binary(2)), "0x6162"),
        (pa.scalar(b"x" * 100_000), "0x" + "78" * 38 + "7…"),
        (pa.scalar([1, 2]), "(list<item: int64>)"),
        (pa.scalar(1, pa.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
        (pa.scalar(2**62, pa.timestamp("s")), "<value out of range: 4611686018427387904>"),
        (pa.scalar(2**62, pa.duration("s")), "4611686018427387904"),
        (pa.array([True])[0], "True"),
        (pa.scalar(None), None),
    ],
)
def test_a_value_of_any_type_can_be_shown(value: pa.Scalar, shown: str | None) -> None:
    """In no more than 80 characters, also when Python has no such value."""
    assert escaped(value) == shown
    assert shown is None or len(shown) <= 80


@pytest.mark.parametrize("whole", [gers(1), gers(1).upper(), gers(1).replace("-", "")])
def test_every_wrong_character_in_every_place_is_seen(whole: str) -> None:
    """Alone beside one that is right, and first of as many as are tested by one template."""
    form = HEX if len(whole) == 32 else UUID
    others = pa.array([whole] * 255)
    for place in range(len(whole)):
        for code in range(128):
            text = whole[:place] + chr(code) + whole[place + 1 :]
            seen = uniform_format(pa.array([whole, text]))
            many = uniform_format(pa.concat_arrays([pa.array([text]), others]))
            assert many == seen
            assert (seen is not None) is (form.fullmatch(text) is not None), repr(text)
            assert seen is None or seen.lower_case is (text + whole == (text + whole).lower())


@pytest.mark.parametrize("byte", [0x80, 0xAD, 0xB0, 0xE1, 0xFF])
@pytest.mark.parametrize("place", [0, 8, 35])
def test_a_byte_beyond_ascii_is_no_uniform_format(byte: int, place: int) -> None:
    raw = bytearray(gers(1).encode())
    raw[place] = byte
    binary = pa.array([bytes(raw)])
    assert uniform_format(pa.StringArray.from_buffers(1, *binary.buffers()[1:])) is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], UniformIds(None, lower_case=True)),
        ([None, None], UniformIds(None, lower_case=True)),
        ([gers(1), None, gers(2)], UniformIds(GersFormat.UUID, lower_case=True)),
        ([gers(1), None, gers(2).upper()], UniformIds(GersFormat.UUID, lower_case=False)),
        ([gers(1).replace("-", "")], UniformIds(GersFormat.DIGITS, lower_case=True)),
        ([gers(1), gers(2)[:-1], gers(3) + "0"], None),
        ([gers(1), ""], None),
        ([gers(1), gers(2).replace("-", "")], None),
        ([gers(1) + "\n"], None),
    ],
)
def test_ids_are_uniform_if_their_length_is(
    texts: list[str | None], expected: UniformIds | None
) -> None:
    assert uniform_format(pa.array(texts, pa.string())) == expected


def test_the_last_row_of_many_blocks_is_tested() -> None:
    many = [gers(n) for n in range(20_000)]
    clean = uniform_format(pa.array(many))
    assert clean
    assert clean.lower_case
    for row in (0, 8191, 8192, 19_999):
        assert not uniform_format(pa.array([*many[:row], gers(1)[:-1] + "g", *many[row + 1 :]]))
        seen = uniform_format(pa.array([*many[:row], gers(1).upper(), *many[row + 1 :]]))
        assert seen
        assert not seen.lower_case


nullable = st.lists(st.none() | st.booleans(), max_size=40)


@given(nullable, st.integers(0, 20), st.integers(0, 20))
def test_the_bits_of_a_slice_are_those_of_its_own_rows(
    values: list[bool | None], start: int, length: int
) -> None:
    array = pa.array(values, pa.bool_()).slice(start, length)
    assert true_at(array).tolist() == [value is True for value in array.to_pylist()]
    assert valid(array).tolist() == [value is not None for value in array.to_pylist()]


@given(nullable, st.integers(0, 20), st.integers(-1, 19))
def test_where_a_slice_is_not_null(values: list[bool | None], start: int, wrong: int) -> None:
    array = pa.array(values, pa.bool_()).slice(start)
    rows = valid(array).copy()
    assert valid_exactly_at(array, rows)
    if 0 <= wrong < len(rows):
        rows[wrong] ^= True
        assert not valid_exactly_at(array, rows)
        rows[wrong - 1] ^= True
        assert valid_exactly_at(array, rows) is (len(rows) == 1)


SPACES = [chr(code) for code in range(0x10000) if chr(code).isspace()]


@given(st.lists(st.none() | st.sampled_from(["a", "", " a", "é", *SPACES])), st.integers(0, 5))
def test_blanks_are_never_overlooked(texts: list[str | None], start: int) -> None:
    array = pa.array(texts, pa.string()).slice(start)
    if surely_none_blank(array):
        assert not any(text is not None and not text.strip() for text in array.to_pylist())


def test_a_slice_of_texts_is_judged_without_its_neighbours() -> None:
    texts = pa.array(["x", gers(1), None, gers(2), "y"]).slice(1, 3)
    assert uniform_format(texts)
    assert surely_none_blank(texts)


@pytest.mark.parametrize("column", [pa.array([], pa.int32()), pa.array([7, 8], pa.int32())[:0]])
def test_an_empty_column_has_no_numbers(column: pa.Array) -> None:
    found = numbers(column)
    assert (str(found.dtype), len(found)) == ("int32", 0)


@pytest.mark.parametrize("count", [3, 8, 9, 13, 16, 21])
def test_where_all_is_as_expected_the_answer_is_yes(count: int) -> None:
    """A last byte that is not full is compared as well, and no further than its rows."""
    rows = np.array([n % 3 > 0 for n in range(count)])
    array = pa.array([1 if given else None for given in rows])
    assert valid_exactly_at(array, rows)
    swapped = rows.copy()
    swapped[-3:] = swapped[-3:][::-1]
    assert valid_exactly_at(array, swapped) is np.array_equal(rows, swapped)
