"""Decodes columns of an opened Parquet file, in batches that fit into memory. Edge (reads)."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.arrow.arrays import numbers
from gem_core.audit.parquet.column_chunks import BATCH_BYTES, runs
from gem_core.audit.parquet.footer import Footer
from gem_core.audit.parquet.footer_writing import reader_footer
from gem_core.audit.parquet.reader_errors import is_shortage
from gem_core.audit.reading.range_file import RangeFile

MAX_BATCH_BYTES = 2 * BATCH_BYTES
"""A batch that has more comes in parts, and smaller ones follow it."""

JOINED_ROWS, JOINED_BYTES = 16_384, 1 << 20
"""Small batches are joined up to here."""

_FEWER = 8
"""When memory is short, a batch has so many times fewer rows."""

_MAX_LENGTH = 2**31 - 1
"""Of a text in a footer: pyarrow sees by itself when the footer ends before the text does."""


def decoded(
    file: RangeFile,
    footer: Footer,
    columns: Sequence[str],
    *,
    as_dictionary: Collection[str] = (),
    groups: Sequence[int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Decode the columns, in batches of about `BATCH_BYTES`.

    The sizes of a row group say how many rows a batch has. A dictionary stores a long value once
    for many rows, and the sizes do not show this. So batches become smaller when one was too large,
    or when memory was short.

    Args:
        file: where the bytes come from.
        footer: of the file.
        columns: by name, each the only one of its name. A batch has them in this order.
        as_dictionary: text columns whose values are not spelled out row by row.
        groups: the row groups to decode, in this order; None is all.

    Raises:
        what pyarrow raises, see `reader_errors.told_apart`; ValueError: a dictionary is broken.

    """
    wanted = [footer.by_name[name] for name in columns]
    shown = open_footer(reader_footer(footer, wanted))
    parquet = _open_data(file, shown.metadata, as_dictionary)
    groups = range(len(footer.group_rows)) if groups is None else groups
    for rows, run in runs(footer, columns, groups):
        yield from _joined(_decoded_run(parquet, run, rows), min(rows, JOINED_ROWS))


def _joined(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """Join small batches, to `most` rows at most: pyarrow ends one where a dictionary ends."""
    small: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        is_large = batch.num_rows > most // 2 or batch.nbytes > JOINED_BYTES // 2
        if small and (is_large or rows > most // 2 or size > JOINED_BYTES // 2):
            yield _one(small)
            small, rows, size = [], 0, 0
        if is_large:
            yield batch
        else:
            small.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
    if small:
        yield _one(small)


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.concat_batches(batches) if len(batches) > 1 else batches[0]


def _decoded_run(
    parquet: pq.ParquetFile, run: Sequence[int], rows: int
) -> Iterator[pa.RecordBatch]:
    """Decode row groups, at first `rows` rows a batch."""
    done = 0
    while True:
        fewer = rows
        left, before = _groups_from(done, parquet.metadata, run)
        try:
            for batch in _batches(parquet, left, before, rows):
                _check_indices(batch)
                done += batch.num_rows
                size = _spelled_bytes(batch)
                if size <= MAX_BATCH_BYTES or rows == 1:
                    yield batch
                    continue
                fewer = max(1, batch.num_rows * BATCH_BYTES // size)
                # Whoever takes them may need room for as much again.
                yield from (batch[at : at + fewer] for at in range(0, batch.num_rows, fewer))
                del batch
                break
        except (MemoryError, OSError, pa.ArrowException) as error:
            if rows == 1 or not is_shortage(error):
                raise
            fewer = rows // _FEWER
        if fewer == rows:
            return
        rows = max(1, min(fewer, rows // 2))


def _batches(
    parquet: pq.ParquetFile, groups: Sequence[int], before: int, rows: int
) -> Iterator[pa.RecordBatch]:
    """Decode row groups without their first `before` rows, which were decoded already."""
    for batch in parquet.iter_batches(batch_size=rows, row_groups=list(groups), use_threads=False):
        passed = min(before, batch.num_rows)
        before -= passed
        if passed < batch.num_rows:
            yield batch[passed:] if passed else batch


def _groups_from(
    row: int, metadata: pq.FileMetaData, groups: Sequence[int]
) -> tuple[Sequence[int], int]:
    """The row groups from that of a row on, and the row's number within its group."""
    for place, group in enumerate(groups):
        rows = metadata.row_group(group).num_rows
        if row < rows:
            return groups[place:], row
        row -= rows
    return (), 0


def _spelled_bytes(batch: pa.RecordBatch) -> int:
    """The bytes that would be fewer if there were fewer rows."""
    return sum(part.nbytes for part in batch.columns if not pa.types.is_dictionary(part.type))


def _check_indices(batch: pa.RecordBatch) -> None:
    """See that each dictionary has what the rows name, which pyarrow takes on trust."""
    for column in batch.columns:
        if pa.types.is_dictionary(column.type):
            named = numbers(column.indices.drop_null())
            if len(named) and not 0 <= named.min() <= named.max() < len(column.dictionary):
                raise ValueError(f"a row names value {named.max()} of {len(column.dictionary)}")


def open_footer(data: bytes) -> pq.ParquetFile:
    """Open a file without data, that `reader_footer` made, as pyarrow does."""
    return pq.ParquetFile(pa.BufferReader(data), **_OPTIONS)


def _open_data(
    file: RangeFile, metadata: pq.FileMetaData, as_dictionary: Collection[str]
) -> pq.ParquetFile:
    return pq.ParquetFile(
        # Closing the reader would close the file, which is opened a second time for the rows.
        pa.PythonFile(file, mode="r"),
        metadata=metadata,
        read_dictionary=list(as_dictionary),
        # pyarrow's own read-ahead would hold the needed columns of the whole file.
        pre_buffer=False,
        buffer_size=1 << 20,
        # Costs little, and finds flipped bits where the writer left checksums.
        page_checksum_verification=True,
        **_OPTIONS,
    )


_OPTIONS: dict[str, Any] = {
    "thrift_string_size_limit": _MAX_LENGTH,
    # An extension type would hide how the column is stored.
    "arrow_extensions_enabled": False,
    # Nanoseconds would hold the years 1677 to 2262 only, and pyarrow says nothing beyond them.
    "coerce_int96_timestamp_unit": "us",
}
