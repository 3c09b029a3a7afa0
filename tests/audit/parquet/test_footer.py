"""The footer is read as pyarrow reads it, and pyarrow reads the one that is made of it."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.parquet.column_chunks import chunks
from gem_core.audit.parquet.decoding import open_footer
from gem_core.audit.parquet.footer import DECODED, STORED
from gem_core.audit.parquet.footer_reading import FooterBroken, read_footer
from gem_core.audit.parquet.footer_writing import reader_footer
from tests.audit.build import matched_table
from tests.audit.thrift import BINARY, I32, I64, LIST, STRUCT, Struct, written
from tests.parquet_files import footer_of, parquet_bytes

NESTED = {
    "tags": pa.array([{"a": 1, "b": [1, 2]}] * 12),
    "map": pa.array([[("k", 1)]] * 12, pa.map_(pa.string(), pa.int8())),
}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"row_group_size": 5, "use_dictionary": False},
        {"data_page_version": "2.0", "write_page_index": True, "write_statistics": False},
        {"compression": "zstd", "store_schema": False},
        {"bloom_filter_options": {"id": {"ndv": 12, "fpp": 0.01}}},
    ],
    ids=" ".join,
)
def test_it_is_what_pyarrow_reads(options: dict[str, object]) -> None:
    data = parquet_bytes(matched_table(**NESTED), **options)
    theirs, ours = pq.read_metadata(pa.BufferReader(data)), footer_of(data)
    assert (ours.rows, len(ours.group_rows)) == (theirs.num_rows, theirs.num_row_groups)
    for group, rows in enumerate(ours.group_rows):
        assert rows == theirs.row_group(group).num_rows
        for leaf in range(theirs.num_columns):
            chunk = theirs.row_group(group).column(leaf)
            sizes = ours.chunks[group, leaf, [STORED, DECODED]].tolist()
            assert sizes == [chunk.total_compressed_size, chunk.total_uncompressed_size]
            (place,) = (column.name for column in ours.columns if leaf in column.leaves)
            assert chunk.path_in_schema.split(".")[0] == place
    assert not ours.unreadable()
    assert not ours.elsewhere


def test_pyarrow_gets_the_named_columns_alone_in_the_order_of_the_names() -> None:
    footer = footer_of(parquet_bytes(matched_table(**NESTED), row_group_size=5))
    wanted = [footer.by_name[name] for name in ("tags", "id")]
    found = open_footer(reader_footer(footer, wanted)).metadata
    assert found.schema.to_arrow_schema().names == ["tags", "id"]
    assert found.metadata is None
    assert [found.row_group(n).num_rows for n in range(3)] == [5, 5, 2]
    (ids,) = next(chunks(footer, ["id"]))
    assert found.row_group(0).column(2).data_page_offset >= ids.start


def test_statistics_of_another_length_are_given_as_they_are() -> None:
    """Pyarrow ends the process when it is asked for them."""
    footer = footer_of(parquet_bytes(matched_table(), row_group_size=6))
    (leaf,) = footer.by_name["id"].leaves
    assert [*footer.statistics(leaf)] == [
        (first.to_bytes(8, "little"), (first + 5).to_bytes(8, "little")) for first in (100, 106)
    ]
    assert [
        *footer_of(parquet_bytes(matched_table(), write_statistics=False)).statistics(leaf)
    ] == [None]


ROOT: Struct = {4: (BINARY, b"schema"), 5: (I32, 1)}
LEAF: Struct = {1: (I32, 2), 3: (I32, 0), 4: (BINARY, b"a")}
CHUNK: Struct = {3: (STRUCT, {4: (I32, 0), 6: (I64, 9), 7: (I64, 9), 9: (I64, 4)})}
GROUP: Struct = {1: (LIST, (STRUCT, [CHUNK])), 2: (I64, 9), 3: (I64, 1)}


def made(**changes: tuple[int, object]) -> bytes:
    members: dict[str, tuple[int, object]] = {
        "f1": (I32, 1),
        "f2": (LIST, (STRUCT, [ROOT, LEAF])),
        "f3": (I64, 1),
        "f4": (LIST, (STRUCT, [GROUP])),
        **changes,
    }
    return written({int(name[1:]): value for name, value in members.items() if value[0]})


def test_the_members_may_come_in_any_order() -> None:
    first = written({4: (LIST, (STRUCT, [GROUP]))})[:-1]
    rest = written({1: (I32, 1), 2: (LIST, (STRUCT, [ROOT, LEAF])), 3: (I64, 1)})
    # The number of the second member comes by itself: 1 in zigzag.
    assert read_footer(first + b"\x05\x02" + rest[1:]).group_rows[0] == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "index out of range"),
        (b"\0", "no number of rows and no row groups"),
        (made(f4=(0, None)), "no row groups"),
        (made(f2=(LIST, (STRUCT, []))), "schema is empty"),
        (made(f2=(LIST, (STRUCT, [ROOT]))), "not a tree"),
        (made(f2=(LIST, (STRUCT, [ROOT, LEAF, LEAF]))), "of which 2 are used"),
        (made(f2=(LIST, (STRUCT, [ROOT, LEAF | {5: (I32, -1)}]))), "not a tree"),
        (made(f4=(LIST, (STRUCT, [GROUP | {1: (LIST, (STRUCT, []))}]))), "0 column chunks for 1"),
        (made(f4=(LIST, (STRUCT, [GROUP | {3: (I64, -1)}]))), "-1 rows"),
        (b"\x19\xfc\xff\xff\xff\xff\x0f", "a list of"),
        (b"\x1c" * 1000, "nested"),
        (b"\x19\xfc" + b"\xff" * 10 + b"\x01", "64 bits"),
    ],
)
def test_what_is_no_footer_says_so(data: bytes, why: str) -> None:
    with pytest.raises(FooterBroken, match=why):
        read_footer(data)


GOOD = parquet_bytes(matched_table(3, **{name: part.slice(0, 3) for name, part in NESTED.items()}))
FOOTER = GOOD[-8 - int.from_bytes(GOOD[-8:-4], "little") : -8]


@given(st.integers(0, len(FOOTER) - 1), st.integers(1, 255), st.integers(0, len(FOOTER)))
def test_a_damaged_footer_is_broken_or_read(place: int, flip: int, end: int) -> None:
    damaged = bytearray(FOOTER)
    damaged[place] ^= flip
    for data in (bytes(damaged), bytes(damaged[:end])):
        try:
            read_footer(data)
        except FooterBroken:
            continue


def test_any_bytes_are_broken_or_read() -> None:
    dice = random.Random(1)
    for _ in range(500):
        with pytest.raises(FooterBroken):
            read_footer(dice.randbytes(dice.randrange(200)))
