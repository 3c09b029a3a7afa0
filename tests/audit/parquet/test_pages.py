"""Page headers and dictionaries, read by our own hand and held against what pyarrow wrote."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.parquet.pages import (
    DELTA_BYTE_ARRAY,
    HeaderCut,
    HeaderError,
    PageKind,
    longest_value,
    read_header,
)
from tests.audit.thrift import BINARY, I32, LIST, STRUCT, Struct, written


def header(**changes: object) -> Struct:
    about = {1: (I32, 7), 2: (I32, DELTA_BYTE_ARRAY), 3: (I32, 3), 4: (I32, 3)}
    fields: Struct = {1: (I32, 0), 2: (I32, 1000), 3: (I32, 100), 5: (STRUCT, about)}
    return fields | {int(name[1:]): (I32, value) for name, value in changes.items()}


def test_a_header_tells_its_claims_and_its_length() -> None:
    text = written(header())
    found = read_header(text + b"the page")
    assert (found.kind, found.unpacked, found.stored) == (PageKind.DATA, 1000, 100)
    assert (found.values, found.encoding, found.length) == (7, DELTA_BYTE_ARRAY, len(text))


def test_statistics_and_fields_to_come_are_passed_over() -> None:
    statistics = {
        5: (BINARY, b"z" * 300),
        6: (BINARY, b"a"),
        3: (6, -5),
        9: (LIST, (I32, [1] * 40)),
    }
    fields = header()
    fields[5][1][5] = (STRUCT, statistics)
    fields |= {4: (I32, -1), 20: (1, True), 21: (7, 0.5), 900: (LIST, (STRUCT, [statistics]))}
    text = written(fields)
    assert read_header(text).length == len(text)


@pytest.mark.parametrize("end", range(len(written(header()))))
def test_a_header_that_goes_on_is_cut(end: int) -> None:
    with pytest.raises(HeaderCut):
        read_header(written(header())[:end])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (written(header(f2=-1)), "a page of 100 bytes that unpacks to -1"),
        (written(header(f3=-1)), "a page of -1 bytes that unpacks to 1000"),
        (written({1: (I32, 0), 2: (I32, 5)}), "a page header without field 3"),
        (b"\x00", "a page header without field 1"),
        (b"\x15" + b"\xff" * 12, "a page header with a number without end"),
        (b"\x1d\x00", "a page header with a field of type 13"),
        (b"\x19" + b"\x19" * 40, "a page header that is nested too deep"),
        (b"\x1c" * 40, "a page header that is nested too deep"),
    ],
)
def test_what_is_no_header_is_an_error(data: bytes, words: str) -> None:
    with pytest.raises(HeaderError, match=f"^{words}$"):
        read_header(data)


@pytest.mark.parametrize("opening", [b"\x1c", b"\x19"], ids=["structs", "lists"])
def test_sixteen_levels_are_passed_over_and_no_more(opening: bytes) -> None:
    """Structs in structs, and lists of one list each; cut short, so that no other error occurs."""
    with pytest.raises(HeaderCut):
        read_header(opening * 16)
    with pytest.raises(HeaderError, match="too deep"):
        read_header(opening * 17 + b"\x00")


@pytest.mark.parametrize("levels", [8, 9])
def test_lists_and_structs_count_alike(levels: int) -> None:
    """A list of one struct with such a list in it: two levels each."""
    data = b"\x19" + b"\x1c\x19" * (levels - 1)
    with pytest.raises(HeaderCut if levels <= 8 else HeaderError):
        read_header(data + b"\x1c")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_none(data: bytes) -> None:
    try:
        found = read_header(data)
    except (HeaderCut, HeaderError):
        return
    assert 0 < found.length <= len(data)
    assert found.unpacked >= 0
    assert found.stored >= 0


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "zstd"])
def test_every_page_that_pyarrow_wrote_is_found(version: str, codec: str) -> None:
    """The pages of a chunk follow each other to its end, and hold all of its values."""
    rows = 50_000
    table = pa.table({"text": [f"road {n % 3000}" for n in range(rows)], "number": range(rows)})
    file = io.BytesIO()
    pq.write_table(table, file, compression=codec, data_page_version=version, data_page_size=20_000)
    metadata = pq.read_metadata(file)
    for column in (metadata.row_group(0).column(n) for n in range(2)):
        first = column.dictionary_page_offset or column.data_page_offset
        position, end, values = first, first + column.total_compressed_size, 0
        while position < end:
            found = read_header(file.getvalue()[position:end])
            position += found.length + found.stored
            values += found.values if found.kind != PageKind.DICTIONARY else 0
        assert position == end
        assert values == rows


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=50))
def test_the_longest_value_of_a_dictionary(values: list[bytes]) -> None:
    text = b"".join(len(value).to_bytes(4, "little") + value for value in values)
    assert longest_value(text, len(values)) == max(map(len, values))


@pytest.mark.parametrize("length", [1, 36])
def test_values_of_one_length(length: int) -> None:
    one = length.to_bytes(4, "little") + b"x" * length
    assert longest_value(one * 1000, 1000) == length


@given(st.binary(max_size=60), st.integers(-5, 100))
def test_a_broken_dictionary_is_measured_as_far_as_it_goes(data: bytes, values: int) -> None:
    assert 0 <= longest_value(data, values) <= len(data)
