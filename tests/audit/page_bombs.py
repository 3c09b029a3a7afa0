"""Bombs in the pages of a column: each passed by a reader of page headers that was ours once.

Readers differ in how they read a page header, in which bytes belong to a column, and in what they
look at before they make room. So nothing but the memory of a process is a safe bound.
"""

import pyarrow as pa

from tests.audit.bombs import (
    CODEC,
    DATA_AT,
    DATA_PAGE,
    DICTIONARY_AT,
    DICTIONARY_PAGE,
    ENCODINGS,
    GROUP_CHUNKS,
    MIB,
    OPTIONAL_META,
    PLAIN,
    RLE_DICTIONARY,
    STORED,
    UNCOMPRESSED,
    UNPACKED,
    VALUES,
    ZSTD,
    chunk,
    deltas,
    good,
    groups,
    page,
    parquet,
    put_together,
    taken_apart,
    with_footer,
    with_pages,
)
from tests.audit.build import matched_table
from tests.audit.thrift import BINARY, I32, I64, LIST, STRUCT, Struct, varint, written, zigzag

LENGTH = 256 << 10
ROWS = 4_096
"""So many rows of a value of `LENGTH` bytes are 1 GiB."""
CREATED_BY = 6
DELTA_LENGTH_BYTE_ARRAY = 6


def _text(length: int, first: bytes = b"x") -> bytes:
    return length.to_bytes(4, "little") + first + b"x" * (length - 1)


def _header(kind: int, size: int, stored: int = 0) -> Struct:
    """Of a page with one value."""
    common = {1: (I32, kind), 2: (I32, size), 3: (I32, stored or size)}
    about = {1: (I32, 1), 2: (I32, PLAIN)}
    if kind == DATA_PAGE:
        return common | {5: (STRUCT, about | {3: (I32, 3), 4: (I32, 3)})}
    return common | {7: (STRUCT, about)}


def _dictionary(header: bytes | None = None) -> bytes:
    value = _text(LENGTH)
    return (header or written(_header(DICTIONARY_PAGE, len(value)))) + value


def _all_the_first() -> bytes:
    """A page in which each row names the first value of the dictionary."""
    indices = b"\x01" + varint(ROWS << 1) + b"\x00"
    return page(indices, unpacked=len(indices), values=ROWS, encoding=RLE_DICTIONARY)


def _with_dictionary(dictionary: bytes, pages: bytes, *, data_at: int, left_out: int = 0) -> bytes:
    """An output whose GERS ids lie in these pages.

    Args:
        dictionary: its page.
        pages: the others.
        data_at: where the footer says that those begin, from the beginning of the dictionary.
        left_out: how many bytes at the end the footer does not count.

    """
    honest = parquet(matched_table(ROWS, ROWS), use_dictionary=False, write_statistics=False)
    data = with_pages(
        honest,
        "gers_id",
        dictionary + pages,
        codec=UNCOMPRESSED,
        encoding=RLE_DICTIONARY,
        unpacked=200,
    )

    def place(footer: Struct) -> None:
        described = chunk(footer, "gers_id")
        start, stored = described[DATA_AT][1], described[STORED][1]
        described[DICTIONARY_AT], described[DATA_AT] = (I64, start), (I64, start + data_at)
        described[STORED] = (I64, stored - left_out)

    return with_footer(place, data)


def wrapped_field_id() -> bytes:
    """The field of the page's kind comes twice: as 1, and as 65,537, which is 1 in 16 bits."""
    header = bytearray(written(_header(DATA_PAGE, LENGTH + 4)))
    assert header[:2] == b"\x15\x00"  # field 1, a number, is 0
    header[2:2] = b"\x05" + zigzag(65_537) + zigzag(DICTIONARY_PAGE)
    described = written({7: (STRUCT, {1: (I32, 1), 2: (I32, PLAIN)})})
    whole = bytes(header[:-1]) + b"\x2c" + described[1:]
    dictionary = _dictionary(whole)
    return _with_dictionary(dictionary, _all_the_first(), data_at=len(dictionary))


def zero_nibble() -> bytes:
    """The header ends with 0x10: the type is that of an end, the field id is not."""
    header = written(_header(DICTIONARY_PAGE, LENGTH + 4))
    dictionary = _dictionary(header[:-1] + b"\x10")
    return _with_dictionary(dictionary, _all_the_first(), data_at=len(dictionary))


def dictionary_in_two_parts() -> bytes:
    """The data begins within the dictionary, says the footer."""
    dictionary = _dictionary()
    return _with_dictionary(dictionary, _all_the_first(), data_at=len(dictionary) // 2)


def two_dictionaries() -> bytes:
    """A short dictionary, and a long one after it."""
    short = _text(36)
    first = written(_header(DICTIONARY_PAGE, len(short))) + short
    return _with_dictionary(first, _dictionary() + _all_the_first(), data_at=len(first))


def padded_by_an_old_writer() -> bytes:
    """Readers go 100 bytes beyond the columns of parquet-mr 1.2.8 (PARQUET-816)."""
    dictionary, rows = _dictionary(), _all_the_first()
    data = _with_dictionary(dictionary, rows, data_at=len(dictionary), left_out=len(rows))
    writer = (BINARY, b"parquet-mr version 1.2.8 (build abcdef)")
    return with_footer(lambda footer: footer.update({CREATED_BY: writer}), data)


def counted_lengths(count: int = 1 << 29) -> bytes:
    """A page of texts that says how many lengths it has, and has none of them."""
    text = varint(128) + varint(4) + varint(count) + zigzag(0)
    pages = page(text, unpacked=len(text), values=12, encoding=DELTA_LENGTH_BYTE_ARRAY)
    return with_pages(
        good(),
        "gers_id",
        pages,
        codec=UNCOMPRESSED,
        encoding=DELTA_LENGTH_BYTE_ARRAY,
        unpacked=200,
    )


def many_lengths(count: int = 1 << 25) -> bytes:
    """A page of very many empty texts, all of which are there."""
    text = deltas(0, 0, count)
    packed = pa.Codec("zstd").compress(text).to_pybytes()
    pages = page(packed, unpacked=len(text), values=12, encoding=DELTA_LENGTH_BYTE_ARRAY)
    return with_pages(
        good(), "gers_id", pages, codec=ZSTD, encoding=DELTA_LENGTH_BYTE_ARRAY, unpacked=200
    )


def small_chunks(count: int = 5_000_000) -> bytes:
    """Row groups of column chunks that have three bytes in the footer, and 700 in memory."""
    most = 1_000_000
    group = {1: (LIST, (STRUCT, [{2: (I64, 0)}])), 2: (I64, 0), 3: (I64, 0)}
    one, few = written({2: (I64, 0)}), written(group)
    head = few[: few.index(one) - 1]  # up to the size of the list
    whole = head + b"\xfc" + varint(most) + one * most + few[few.index(one) + len(one) :]
    body, footer = taken_apart(good())
    text = written(footer)
    list_of_groups = written({4: footer[4]})[1:-1]
    assert text.count(list_of_groups) == 1
    # The list has one row group; it gets more.
    kept = list_of_groups[1:]
    more = bytes([(1 + count // most) << 4 | STRUCT]) + kept + whole * (count // most)
    text = text.replace(list_of_groups, more)
    return body + text + len(text).to_bytes(4, "little") + b"PAR1"


def list_of_nulls(count: int = 1 << 30) -> bytes:
    """A list of very many nulls in a page of some bytes, which only comparing all columns reads."""
    table = matched_table(12, 12, tags=pa.array([[1]] * 12, pa.list_(pa.int64())))
    data = parquet(table, use_dictionary=False, write_statistics=False)
    repeated = varint(12 << 1) + b"\x00" + varint((count - 12) << 1) + b"\x01"
    defined = varint(count << 1) + b"\x01"
    levels = b"".join(len(each).to_bytes(4, "little") + each for each in (repeated, defined))
    body, footer = taken_apart(data)
    (described,) = (
        one[3][1]
        for one in groups(footer)[0][GROUP_CHUNKS][1][1]
        if one[3][1][3][1][1][0] == b"tags"
    )
    pages = page(levels, unpacked=len(levels), values=count)
    _describe(described, at=len(body), stored=len(pages), codec=UNCOMPRESSED, encoding=PLAIN)
    described[VALUES] = (I64, count)
    return put_together(body + pages, footer)


def list_input() -> bytes:
    """The input of `list_of_nulls`."""
    table = matched_table(12, 12, tags=pa.array([[1]] * 12, pa.list_(pa.int64())))
    return parquet(table.select(["id", "is_navigable", "geometry", "tags"]))


def long_classes(values: int = 30, length: int = 100 * MIB) -> bytes:
    """A column of thirty values, as it looks; each is a hundred mebibytes long."""
    table = matched_table(4 * values, 4 * values, road_class=pa.array(["a"] * (4 * values)))
    data = parquet(table, row_group_size=4, compression="zstd", write_statistics=False)
    body, footer = taken_apart(data)
    codec = pa.Codec("zstd")
    indices = b"\x01" + varint(4 << 1) + b"\x00"
    stored = codec.compress(indices).to_pybytes()
    rows = page(stored, unpacked=len(indices), values=4, encoding=RLE_DICTIONARY)
    for number, group in enumerate(groups(footer)):
        packed = codec.compress(_text(length, b"%c" % (65 + number))).to_pybytes()
        header = _header(DICTIONARY_PAGE, length + 4, stored=len(packed))
        dictionary = written(header) + packed
        (described,) = (
            one[3][1] for one in group[GROUP_CHUNKS][1][1] if one[3][1][3][1][1] == [b"road_class"]
        )
        start = len(body)
        _describe(
            described,
            at=start + len(dictionary),
            stored=len(dictionary) + len(rows),
            codec=ZSTD,
            encoding=RLE_DICTIONARY,
        )
        described[DICTIONARY_AT] = (I64, start)
        body += dictionary + rows
    return put_together(body, footer)


def long_geometry(length: int = 120 * MIB) -> bytes:
    """A road of some million points."""
    point = "4.5 52.1, "
    line = f"LINESTRING ({point * (length // len(point))}4.6 52.2)"
    lines = pa.array([line, *["LINESTRING (4 52, 5 53)"] * 11])
    return parquet(
        matched_table(12, 12, geometry=lines), compression="zstd", dictionary_pagesize_limit=1 << 30
    )


def long_number(length: int = 120 * MIB) -> bytes:
    """A geometry of a single number with very many digits."""
    lines = pa.array([f"LINESTRING ({'1' * length} 2)", *["LINESTRING (4 52, 5 53)"] * 11])
    return parquet(matched_table(12, 12, geometry=lines), compression="zstd")


def long_values(rows: int = 20_000, length: int = 20_000) -> bytes:
    """No bomb: each row has the same long text, as honest files may; 400 MB when spelled out."""
    table = matched_table(rows, rows, source=pa.array(["x" * length] * rows))
    return parquet(table, compression="zstd")


def _describe(described: Struct, *, at: int, stored: int, codec: int, encoding: int) -> None:
    """Let a column chunk lie elsewhere."""
    for number in OPTIONAL_META:
        described.pop(number, None)
    described[STORED], described[DATA_AT] = (I64, stored), (I64, at)
    described[CODEC], described[ENCODINGS] = (I32, codec), (LIST, (I32, [encoding, 3]))
    described[UNPACKED] = (I64, 200)
