"""The guard lets every honest file through unchanged, and stops before memory is asked for."""

import io
from collections.abc import Iterator
from contextlib import nullcontext
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_core.audit.parquet import decoding, guard, page_bounds
from gem_core.audit.parquet.decoding import decoded
from gem_core.audit.parquet.guard import GuardedFile
from gem_core.audit.parquet.page_bounds import LongValues, OutOfBounds, Unpacked
from gem_core.audit.parquet.pages import HeaderError
from gem_core.audit.reading.range_file import RangeFile
from tests.audit import bombs
from tests.audit.build import changed, matched_table
from tests.audit.reading.test_range_file import MemorySource
from tests.audit.thrift import I32, written

COLUMNS = ["id", "gers_id", "match_confidence", "match_status"]


def read(data: bytes, *, rows: int = 4096) -> pa.Table:
    """The needed columns of a file, through the guard."""
    metadata = pq.read_metadata(pa.BufferReader(data))
    return pa.Table.from_batches(
        decoded(RangeFile(MemorySource(data)), metadata, COLUMNS, rows=rows),
        schema=pq.read_schema(pa.BufferReader(data)).empty_table().select(COLUMNS).schema,
    )


def file_of(table: pa.Table, **options: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
@pytest.mark.parametrize("group", [700, 30_000])
def test_an_honest_file_reads_as_without_the_guard(version: str, codec: str, group: int) -> None:
    """Small pages and large ones, several row groups, headers cut anywhere between two reads."""
    table = matched_table(20_000, geometry=pa.array(["LINESTRING (1 2, 3 4)" * 9] * 20_000))
    data = file_of(
        table,
        row_group_size=group,
        compression=codec,
        data_page_version=version,
        data_page_size=3000,
        write_page_index=True,
    )
    assert read(data).equals(table.select(COLUMNS))


def test_delta_encodings_read_as_without_the_guard() -> None:
    """A page of them may hold values as long as itself, so the batches are small."""
    table = matched_table(9_000)
    encodings = {"gers_id": "DELTA_BYTE_ARRAY", "id": "DELTA_BINARY_PACKED"}
    data = file_of(table, use_dictionary=False, column_encoding=encodings, row_group_size=4000)
    assert read(data, rows=131_072).equals(table.select(COLUMNS))


def long_ones(at: int, rows: int = 6_000) -> pa.Table:
    """Short values, and from a row on some that are long."""
    texts = [f"short {n % 50}" if n < at else f"{n % 3}" * 9_000 for n in range(rows)]
    return matched_table(rows, gers_id=pa.array(texts))


@pytest.mark.parametrize("at", [0, 2_500, 5_000])
def test_long_values_are_read_in_smaller_batches(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From wherever they turn up; no row comes twice, and none is left out."""
    monkeypatch.setattr(page_bounds, "MAX_SPELLED_BYTES", 1 << 20)
    table = long_ones(at)
    data = file_of(table, row_group_size=1_000)
    batches = list(
        decoded(
            RangeFile(MemorySource(data)),
            pq.read_metadata(pa.BufferReader(data)),
            COLUMNS,
            rows=2_000,
        )
    )
    assert pa.Table.from_batches(batches).equals(table.select(COLUMNS))
    assert max(batch.column("gers_id").nbytes for batch in batches) <= 1 << 20


@pytest.mark.parametrize("at", [30_000, 44_999])
def test_long_values_within_a_row_group_leave_no_row_out(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some batches of the row group were decoded when a page of long ones turns up."""
    monkeypatch.setattr(page_bounds, "MAX_SPELLED_BYTES", 100_000_000)
    texts = [sha256(b"%d" % n).hexdigest() for n in range(45_000)]
    texts[at] = "long" * 100_000
    table = matched_table(45_000, gers_id=pa.array(texts))
    data = file_of(
        table,
        use_dictionary=False,
        column_encoding={"gers_id": "DELTA_BYTE_ARRAY"},
        compression="none",
        data_page_size=10_000,
    )
    metadata = pq.read_metadata(pa.BufferReader(data))
    batches = list(decoded(RangeFile(MemorySource(data)), metadata, COLUMNS, rows=1_000))
    assert pa.Table.from_batches(batches).equals(table.select(COLUMNS))
    sizes = [batch.num_rows for batch in batches]
    assert sizes[0] == 1_000
    assert sizes[-2] < 300


class Unsearched(list[str]):
    """Names of columns that may be very many: none is looked for from the first one on."""

    def __contains__(self, name: object) -> bool:
        raise AssertionError(name)


def test_no_column_is_looked_for_among_all_that_are_wanted() -> None:
    data = file_of(matched_table())
    metadata = pq.read_metadata(pa.BufferReader(data))
    (batch,) = decoded(RangeFile(MemorySource(data)), metadata, Unsearched(COLUMNS), rows=4096)
    assert batch.schema.names == COLUMNS


def test_long_values_that_stay_in_their_dictionary_are_no_trouble() -> None:
    data = bombs.long_dictionary(rows=100_000, column="match_status")
    metadata = pq.read_metadata(pa.BufferReader(data))
    file = RangeFile(MemorySource(data))
    batches = decoded(file, metadata, ["match_status"], rows=50_000, as_dictionary={"match_status"})
    assert [batch.num_rows for batch in batches] == [50_000, 50_000]


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MAX_BATCHES", 3, "12 rows can only be read 2 at a time"),
        ("MAX_DECODED_BYTES", 100, "more than 100 bytes"),
    ],
)
def test_time_is_bounded_as_well(
    limit: str, value: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, limit, value)
    with pytest.raises(OutOfBounds, match=words):
        read(bombs.good(), rows=2)


def test_all_pages_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little they hold, and however often the file is opened for smaller batches."""
    long = changed(matched_table(1, 1), "gers_id", r0="x" * 5_000)
    table = pa.concat_tables([matched_table(1, 1), long])
    data = file_of(table, row_group_size=1, use_dictionary=["gers_id"])
    monkeypatch.setattr(page_bounds, "MAX_SPELLED_BYTES", 20_000)
    sizes: list[int] = []
    add = Unpacked.add

    def noted(unpacked: Unpacked, size: int) -> None:
        sizes.append(size)
        add(unpacked, size)

    monkeypatch.setattr(Unpacked, "add", noted)
    assert read(data, rows=8).num_rows == 2
    assert sum(size > 5_000 for size in sizes) == 2  # it was opened again for this one
    monkeypatch.setattr(page_bounds, "MAX_UNPACKED_BYTES", total := sum(sizes))
    assert read(data, rows=8).num_rows == 2
    monkeypatch.setattr(page_bounds, "MAX_UNPACKED_BYTES", total - 1)
    with pytest.raises(OutOfBounds, match="its pages unpack to more than"):
        read(data, rows=8)


def test_values_that_are_a_little_longer_each_time_are_no_restart_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_bounds, "MAX_SPELLED_BYTES", 1 << 17)
    rows = matched_table(60, 60).drop_columns("gers_id")
    table = rows.append_column("gers_id", pa.array(["x" * (1_000 + 10 * n) for n in range(60)]))
    data = file_of(table, row_group_size=1, use_dictionary=["gers_id"])
    opened: list[int] = []

    def noted(*words: Any, batch_rows: int, **more: Any) -> GuardedFile:  # noqa: ANN401 - as it has them
        opened.append(batch_rows)
        return GuardedFile(*words, batch_rows=batch_rows, **more)

    monkeypatch.setattr(decoding, "GuardedFile", noted)
    assert read(data, rows=4096).num_rows == 60
    assert all(after <= before // 2 for before, after in pairwise(opened))
    assert 1 < len(opened) < 10


@pytest.mark.parametrize(("limit", "is_refused"), [(9, False), (8, True)])
def test_a_dictionary_may_have_as_many_values_as_the_bound(
    limit: int, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    """And its column more of them."""
    data = file_of(matched_table(12, 9), use_dictionary=["gers_id"])
    monkeypatch.setattr(page_bounds, "MAX_DICTIONARY_VALUES", limit)
    with pytest.raises(OutOfBounds, match="9 values") if is_refused else nullcontext():
        read(data)


def test_all_batches_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bombs.good()
    metadata = pq.read_metadata(pa.BufferReader(data))
    batches = decoded(RangeFile(MemorySource(data)), metadata, COLUMNS, rows=2)
    total = sum(batch.nbytes for batch in batches)
    monkeypatch.setattr(decoding, "MAX_DECODED_BYTES", total)
    assert read(data, rows=2).num_rows == metadata.num_rows
    monkeypatch.setattr(decoding, "MAX_DECODED_BYTES", total - 1)
    with pytest.raises(OutOfBounds, match=f"more than {total - 1} bytes"):
        read(data, rows=2)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bombs.claimed_page(), "unpacks to 2,147,483,647 bytes"),
        (bombs.claimed_rows(2**40), "1,099,511,627,776 rows"),
        (bombs.same_group_again(2), "share the bytes"),
    ],
)
def test_what_is_claimed_is_refused_before_it_is_asked_for(data: bytes, words: str) -> None:
    with pytest.raises(OutOfBounds, match=words):
        read(data)


def seen(data: bytes, *spans: tuple[int, int]) -> GuardedFile:
    """A guard that some reads have gone through."""
    metadata = pq.read_metadata(pa.BufferReader(data))
    file = GuardedFile(
        RangeFile(MemorySource(data)), metadata, COLUMNS, batch_rows=100_000, unpacked=Unpacked()
    )
    for start, length in spans:
        file.seek(start)
        file.read(length)
    return file


def chunk_of(data: bytes, name: str) -> tuple[int, int]:
    metadata = pq.read_metadata(pa.BufferReader(data)).row_group(0)
    for column in (metadata.column(n) for n in range(metadata.num_columns)):
        if column.path_in_schema == name:
            start = column.dictionary_page_offset or column.data_page_offset
            return start, column.total_compressed_size
    raise KeyError(name)


def test_bytes_that_are_read_again_are_judged_once() -> None:
    data = bombs.long_dictionary(100, rows=10)
    start, length = chunk_of(data, "gers_id")
    seen(data, (start, 20), (start, 30), (start + 10, length - 10), (start, length))


def test_a_page_that_ends_after_its_column_is_an_error() -> None:
    """However large it claims to be: pyarrow would make room for it first."""
    packed = pa.Codec("zstd").compress(b"x").to_pybytes()
    header = {1: (I32, 0), 2: (I32, 8), 3: (I32, 2**31 - 1)}
    pages = written(header) + packed
    data = bombs.with_pages(bombs.good(), "id", pages, codec=6, encoding=0, unpacked=8)
    with pytest.raises(HeaderError, match="ends after its column"):
        read(data)


@pytest.mark.parametrize(("beyond", "is_error"), [(100, False), (101, True)])
def test_a_page_may_end_a_little_after_its_column(beyond: int, *, is_error: bool) -> None:
    """As old writers have it (PARQUET-816)."""
    stored = 500
    header = written({1: (I32, 0), 2: (I32, 8), 3: (I32, stored)})
    pages = header + bytes(stored - beyond)
    data = bombs.with_pages(bombs.good(), "id", pages, codec=0, encoding=0, unpacked=8)
    start, length = chunk_of(data, "id")
    assert length == len(pages)
    with pytest.raises(HeaderError) if is_error else nullcontext():
        seen(data, (start, length))


def test_a_header_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_bounds, "MAX_HEADER_BYTES", 100)
    header = b"\x18\xff\x7f" + bytes(200)  # a text of 16,383 bytes
    data = bombs.with_pages(bombs.good(), "id", header, codec=0, encoding=0, unpacked=8)
    with pytest.raises(HeaderError, match="id: a page header without end"):
        seen(data, chunk_of(data, "id"))


@pytest.mark.parametrize(("limit", "is_refused"), [(5_000, False), (4_999, True)])
def test_a_page_may_be_as_large_as_the_bound(
    limit: int, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    monkeypatch.setattr(page_bounds, "MAX_PAGE_BYTES", limit)
    pages = written({1: (I32, 0), 2: (I32, 5_000), 3: (I32, 0)})
    data = bombs.with_pages(bombs.good(), "id", pages, codec=0, encoding=0, unpacked=8)
    with pytest.raises(OutOfBounds, match="5,000 bytes") if is_refused else nullcontext():
        seen(data, chunk_of(data, "id"))


@pytest.mark.parametrize(("limit", "is_refused"), [(12, False), (11, True)])
def test_a_file_may_have_as_many_rows_as_the_bound(
    limit: int, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    monkeypatch.setattr(guard, "MAX_ROWS", limit)
    with pytest.raises(OutOfBounds, match="12 rows") if is_refused else nullcontext():
        seen(bombs.good(12))


@pytest.mark.parametrize("codec", ["none", "zstd"])
@pytest.mark.parametrize(("limit", "is_long"), [(20_000, False), (19_999, True)])
def test_it_is_the_longest_value_that_counts(
    codec: str, limit: int, monkeypatch: pytest.MonkeyPatch, *, is_long: bool
) -> None:
    """Not all of a dictionary together, which would make the batches of most files small."""
    monkeypatch.setattr(page_bounds, "MAX_SPELLED_BYTES", limit * 100_000)
    texts = ["x" * 20_000, *(f"{n:010}" for n in range(5_000))]
    data = file_of(
        matched_table(len(texts), gers_id=pa.array(texts)), compression=codec, row_group_size=10_000
    )
    with pytest.raises(LongValues) if is_long else nullcontext():
        seen(data, chunk_of(data, "gers_id"))


def test_a_jump_over_a_header_is_an_error() -> None:
    data = file_of(matched_table(5_000), data_page_size=1000)
    start, length = chunk_of(data, "gers_id")
    with pytest.raises(HeaderError, match="order"):
        seen(data, (start, 10), (start + length - 10, 10))


def steps(length: int, step: int) -> Iterator[tuple[int, int]]:
    for first in range(0, length, step):
        yield first, min(step, length - first)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_dictionary_is_seen_however_it_is_cut(step: int) -> None:
    data = bombs.long_dictionary(20_000, rows=10)
    start, length = chunk_of(data, "gers_id")
    with pytest.raises(LongValues) as caught:
        seen(data, *((start + first, part) for first, part in steps(length, step)))
    assert caught.value.rows == page_bounds.MAX_SPELLED_BYTES // 20_000
