"""Parquet files that ask for far more than they hold; each a few megabytes at most."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.audit.build import gers, matched_table
from tests.audit.thrift import (
    BINARY,
    I32,
    I64,
    LIST,
    STRUCT,
    Reader,
    Struct,
    varint,
    written,
    zigzag,
)

MIB = 1 << 20
GIB = 1 << 30
MAGIC = b"PAR1"

# Fields of parquet.thrift: FileMetaData, RowGroup, ColumnChunk, ColumnMetaData, SchemaElement.
SCHEMA, ROWS, GROUPS, KEY_VALUES = 2, 3, 4, 5
GROUP_CHUNKS, GROUP_ROWS = 1, 3
CHUNK_META = 3
ENCODINGS, PATH, CODEC, VALUES, UNPACKED, STORED, DATA_AT, DICTIONARY_AT = 2, 3, 4, 5, 6, 7, 9, 11
STATISTICS = 12
OPTIONAL_META = (8, 10, 11, 12, 13, 14, 15, 16, 17)
NAME, CHILDREN = 4, 5
PLAIN, DELTA_BYTE_ARRAY, RLE_DICTIONARY = 0, 7, 8
ZSTD, UNCOMPRESSED = 6, 0
DATA_PAGE, DICTIONARY_PAGE = 0, 2


def parquet(table: pa.Table, **options: object) -> bytes:
    """The table as a file, its columns required so that pages hold nothing but values."""
    schema = pa.schema([pa.field(part.name, part.type, nullable=False) for part in table.schema])
    file = io.BytesIO()
    pq.write_table(table.cast(schema), file, store_schema=False, **options)
    return file.getvalue()


def good() -> bytes:
    """An honest output of 12 rows, all of it matched."""
    return parquet(matched_table(12, 12), use_dictionary=False, write_statistics=False)


def taken_apart(data: bytes) -> tuple[bytes, Struct]:
    """What lies before the footer, and the footer."""
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return data[:start], Reader(data, start).struct()


def put_together(body: bytes, footer: Struct) -> bytes:
    """A file of a body and a footer."""
    text = written(footer)
    return body + text + len(text).to_bytes(4, "little") + MAGIC


def with_footer(change: Callable[[Struct], object], data: bytes | None = None) -> bytes:
    """A file whose footer was changed."""
    body, footer = taken_apart(good() if data is None else data)
    change(footer)
    return put_together(body, footer)


def groups(footer: Struct) -> list[Struct]:
    """The row groups of a footer."""
    found: list[Struct] = footer[GROUPS][1][1]
    return found


def chunk(footer: Struct, column: str) -> Struct:
    """The metadata of a column in the first row group."""
    for one in groups(footer)[0][GROUP_CHUNKS][1][1]:
        meta: Struct = one[CHUNK_META][1]
        if meta[PATH][1][1] == [column.encode()]:
            return meta
    raise KeyError(column)


def page(stored: bytes, *, unpacked: int, values: int, encoding: int = PLAIN) -> bytes:
    """A data page of the first version: no levels, since the columns are required."""
    about = {1: (I32, values), 2: (I32, encoding), 3: (I32, 3), 4: (I32, 3)}
    header = {1: (I32, DATA_PAGE), 2: (I32, unpacked), 3: (I32, len(stored)), 5: (STRUCT, about)}
    return written(header) + stored


def with_pages(data: bytes, column: str, pages: bytes, **meta: Any) -> bytes:  # noqa: ANN401 - fields
    """A file whose column lies in other pages, behind all others."""
    body, footer = taken_apart(data)
    described = chunk(footer, column)
    for number in OPTIONAL_META:
        described.pop(number, None)
    described[STORED] = (I64, len(pages))
    described[DATA_AT] = (I64, len(body))
    described[CODEC] = (I32, meta["codec"])
    described[ENCODINGS] = (LIST, (I32, [meta["encoding"], 3]))
    described[UNPACKED] = (I64, meta["unpacked"])
    return put_together(body + pages, footer)


def huge_page(unpacked: int = GIB) -> bytes:
    """Twelve confidences in a page of a gibibyte of zeros; the footer says 200 bytes."""
    packed = pa.Codec("zstd").compress(pa.py_buffer(np.zeros(unpacked, np.uint8)))
    pages = page(packed.to_pybytes(), unpacked=unpacked, values=12)
    return with_pages(good(), "match_confidence", pages, codec=ZSTD, encoding=PLAIN, unpacked=200)


def newer_encoding(column: str = "match_confidence", data: bytes | None = None) -> bytes:
    """A column in an encoding that the format may have one day, and that pyarrow does not know."""
    pages = page(bytes(96), unpacked=96, values=12, encoding=10)
    data = good() if data is None else data
    return with_pages(data, column, pages, codec=UNCOMPRESSED, encoding=10, unpacked=96)


def claimed_page(column: str = "match_confidence") -> bytes:
    """A page that only says that it is of 2 GiB."""
    unpacked = 2**31 - 1
    packed = pa.Codec("zstd").compress(b"x").to_pybytes()
    pages = page(packed, unpacked=unpacked, values=12)
    return with_pages(good(), column, pages, codec=ZSTD, encoding=PLAIN, unpacked=8)


def long_dictionary(rows: int = 200_000, column: str = "gers_id") -> bytes:
    """Every row names the one value of a dictionary, which has 1 MiB."""
    values = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(rows, np.int32)), pa.array(["x" * MIB])
    )
    names = [gers(1), "matched", "road"]
    constant = {
        name: pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([text]))
        for name, text in zip(("gers_id", "match_status", "id"), names, strict=True)
    }
    table = pa.table(constant | {column: values, "match_confidence": pa.array(np.full(rows, 0.9))})
    return parquet(table, dictionary_pagesize_limit=GIB, write_statistics=False)


def long_dictionary_of_nothing(values: int = 32 * MIB) -> bytes:
    """A dictionary of very many empty texts, each of which is a view of 16 bytes in memory."""
    packed = pa.Codec("zstd").compress(pa.py_buffer(bytes(4 * values))).to_pybytes()
    about = {1: (I32, values), 2: (I32, PLAIN)}
    header = {1: (I32, DICTIONARY_PAGE), 2: (I32, 4 * values), 3: (I32, len(packed))}
    dictionary = written(header | {7: (STRUCT, about)}) + packed
    indices = b"\x01" + varint(12 << 1) + b"\x00"  # twelve times the first
    stored = pa.Codec("zstd").compress(indices).to_pybytes()
    rows = page(stored, unpacked=len(indices), values=12, encoding=RLE_DICTIONARY)
    data = with_pages(
        good(), "gers_id", dictionary + rows, codec=ZSTD, encoding=RLE_DICTIONARY, unpacked=200
    )
    return _with_dictionary(data, "gers_id", len(dictionary))


def index_beyond_dictionary(column: str) -> bytes:
    """Every row names a value that the dictionary has not; the writer's own schema says that the
    column is a dictionary.
    """
    table = matched_table(12, 12)
    one = pa.array([table[column][0].as_py()])
    values = pa.DictionaryArray.from_arrays(pa.array([0] * 12, pa.int32()), one)
    table = table.set_column(table.schema.get_field_index(column), column, values)
    required = pa.schema([part.with_nullable(nullable=False) for part in table.schema])
    file = io.BytesIO()
    pq.write_table(table.cast(required), file, compression="none", write_statistics=False)
    data = file.getvalue()
    body, footer = taken_apart(data)
    described = chunk(footer, column)
    dictionary = body[described[DICTIONARY_AT][1] : described[DATA_AT][1]]
    indices = bytes([24]) + varint(12 << 1) + (200_000).to_bytes(3, "little")
    rows = page(indices, unpacked=len(indices), values=12, encoding=RLE_DICTIONARY)
    pages = dictionary + rows
    data = with_pages(
        data, column, pages, codec=UNCOMPRESSED, encoding=RLE_DICTIONARY, unpacked=len(pages)
    )
    return _with_dictionary(data, column, len(dictionary))


def _with_dictionary(data: bytes, column: str, length: int) -> bytes:
    """The column's pages begin with a dictionary of that many bytes."""

    def place(footer: Struct) -> None:
        described = chunk(footer, column)
        start = described[DATA_AT][1]
        described[DICTIONARY_AT], described[DATA_AT] = (I64, start), (I64, start + length)

    return with_footer(place, data)


def deltas(first: int, then: int, count: int) -> bytes:
    """DELTA_BINARY_PACKED: one number, then another one over and over."""
    jump = then - first
    width = max(1, abs(jump).bit_length())
    least = min(0, jump)
    values = [jump, *[0] * 127]
    block = sum((value - least) << place * width for place, value in enumerate(values))
    out = varint(128) + varint(4) + varint(count) + zigzag(first)
    out += zigzag(least) + bytes([width] * 4) + block.to_bytes(128 * width // 8, "little")
    return out + (zigzag(0) + bytes(4)) * max(0, -(-(count - 1 - 128) // 128))


def repeated_prefix(rows: int = 200_000) -> bytes:
    """Every value repeats all of the one before it, which has 1 MiB."""
    honest = parquet(matched_table(rows, rows), use_dictionary=False, write_statistics=False)
    text = deltas(0, MIB, rows) + deltas(MIB, 0, rows) + b"x" * MIB
    return with_pages(
        honest,
        "gers_id",
        page(text, unpacked=len(text), values=rows, encoding=DELTA_BYTE_ARRAY),
        codec=UNCOMPRESSED,
        encoding=DELTA_BYTE_ARRAY,
        unpacked=len(text),
    )


def claimed_rows(rows: int) -> bytes:
    """Every number of rows in the footer says so; the pages hold twelve."""

    def change(footer: Struct) -> None:
        footer[ROWS] = (I64, rows)
        group = groups(footer)[0]
        group[GROUP_ROWS] = (I64, rows)
        for one in group[GROUP_CHUNKS][1][1]:
            one[CHUNK_META][1][VALUES] = (I64, rows)

    return with_footer(change)


def same_group_again(times: int = 3_000) -> bytes:
    """A row group that the footer lists again and again."""
    return with_footer(lambda footer: footer.update({GROUPS: _list(groups(footer) * times)}))


def empty_groups(times: int = 30_000) -> bytes:
    """Row groups of nothing, which take few bytes in the file and many in memory."""
    meta = {1: (I32, 1), 2: (LIST, (I32, [])), 3: (LIST, (BINARY, [])), 4: (I32, 0)}
    meta |= dict.fromkeys((5, 6, 7, 9), (I64, 0))
    one = {2: (I64, 0), 3: (STRUCT, meta)}
    group = {1: _list([one] * 6), 2: (I64, 0), 3: (I64, 0)}
    return with_footer(lambda footer: footer.update({GROUPS: _list([group] * times)}))


def many_columns(count: int = 100_000) -> bytes:
    """An honest output of very many columns."""
    table = matched_table(12, 12)
    more = {f"c{number}": pa.array([1] * 12) for number in range(count)}
    return parquet(
        pa.table({**dict(zip(table.column_names, table.columns, strict=True)), **more}),
        write_statistics=False,
        use_dictionary=False,
    )


def key_values(pairs: Mapping[bytes, bytes]) -> bytes:
    """Metadata of the writer's own."""
    members = [{1: (BINARY, key), 2: (BINARY, value)} for key, value in pairs.items()]
    return with_footer(lambda footer: footer.update({KEY_VALUES: _list(members)}))


def deep_schema(depth: int) -> bytes:
    """A column within a group within a group …"""

    def change(footer: Struct) -> None:
        elements = footer[SCHEMA][1][1]
        elements[0][CHILDREN] = (I32, elements[0][CHILDREN][1] + 1)
        elements += [{3: (I32, 0), NAME: (BINARY, b"a"), CHILDREN: (I32, 1)}] * depth
        elements.append({1: (I32, 1), 3: (I32, 0), NAME: (BINARY, b"x")})

    return with_footer(change)


def path_that_is_no_text() -> bytes:
    """A column chunk whose path no text can be."""
    return with_footer(
        lambda footer: chunk(footer, "id").update({PATH: (LIST, (BINARY, [b"\xff"]))})
    )


def footer_beyond_file() -> bytes:
    """A footer that places a column after the end of the file."""
    return with_footer(lambda footer: chunk(footer, "id").update({DATA_AT: (I64, 1 << 40)}))


def chunk_beyond_file() -> bytes:
    """A footer that gives a column more bytes than the file has."""
    return with_footer(lambda footer: chunk(footer, "id").update({STORED: (I64, 1 << 40)}))


def runs() -> bytes:
    """Very many rows in very few bytes: one run of equal values after another."""
    rows = 2_000_000
    constant = {
        name: pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([text]))
        for name, text in {"id": "road", "gers_id": gers(1), "match_status": "matched"}.items()
    }
    return parquet(pa.table(constant), row_group_size=rows)


def _list(structs: list[Struct]) -> tuple[int, tuple[int, list[Struct]]]:
    return LIST, (STRUCT, structs)


def deadly_statistics() -> bytes:
    """An honest output but for one number too few in its statistics; see decision 45."""
    file = io.BytesIO()
    pq.write_table(matched_table(), file)

    def change(footer: Struct) -> None:
        size_statistics = chunk(footer, "gers_id")[16][1]
        size_statistics[3][1][1].pop()

    return with_footer(change, file.getvalue())
