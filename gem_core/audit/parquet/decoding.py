"""Decodes columns of an opened Parquet file, in batches that fit into memory. Edge (reads)."""

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.arrow.arrays import numbers
from gem_core.audit.parquet.column_chunks import BATCH_BYTES, runs
from gem_core.audit.parquet.reader_errors import is_shortage
from gem_core.audit.reading.range_file import RangeFile

MAX_BATCH_BYTES = 2 * BATCH_BYTES
"""A batch that has more comes in parts, and smaller ones follow it."""

_FEWER = 8
"""When memory is short, a batch has so many times fewer rows."""

_MAX_LENGTH = 2**31 - 1
"""Of a text in a footer: pyarrow sees by itself when the footer ends before the text does."""


def decoded(
    file: RangeFile,
    metadata: pq.FileMetaData,
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
        metadata: of the file.
        columns: by name.
        as_dictionary: text columns whose values are not spelled out row by row.
        groups: the row groups to decode, in this order; None is all.

    Raises:
        what pyarrow raises, see `reader_errors.told_apart`; ValueError: a dictionary is broken.

    """
    parquet = open_file(file, metadata=metadata, as_dictionary=as_dictionary)
    groups = range(metadata.num_row_groups) if groups is None else groups
    apart = _has_own_dictionaries(parquet.schema_arrow, columns)
    for rows, run in runs(metadata, set(columns), groups, apart=apart):
        yield from _decoded_run(parquet, columns, run, rows)


def _decoded_run(
    parquet: pq.ParquetFile, columns: Sequence[str], run: Sequence[int], rows: int
) -> Iterator[pa.RecordBatch]:
    """Decode row groups, at first `rows` rows a batch."""
    done = 0
    while True:
        fewer = rows
        left, before = _groups_from(done, parquet.metadata, run)
        try:
            for batch in _batches(parquet, columns, left, before, rows):
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
    parquet: pq.ParquetFile, columns: Sequence[str], groups: Sequence[int], before: int, rows: int
) -> Iterator[pa.RecordBatch]:
    """Decode row groups without their first `before` rows, which were decoded already."""
    for batch in parquet.iter_batches(
        batch_size=rows, row_groups=list(groups), columns=list(columns), use_threads=False
    ):
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


def _has_own_dictionaries(schema: pa.Schema, columns: Sequence[str]) -> bool:
    """Whether there are dictionaries below lists or structs.

    Each row group has its own, and there pyarrow cannot join them.
    """
    wanted = set(columns)
    return any(_has_dictionary_below(field.type) for field in schema if field.name in wanted)


def _has_dictionary_below(kind: pa.DataType) -> bool:
    return pa.types.is_nested(kind) and any(
        pa.types.is_dictionary(part) or _has_dictionary_below(part)
        for part in (kind.field(place).type for place in range(kind.num_fields))
    )


def open_file(
    file: RangeFile,
    *,
    metadata: pq.FileMetaData | None = None,
    as_dictionary: Collection[str] = (),
) -> pq.ParquetFile:
    """Open it as pyarrow's ParquetFile; the footer is read unless it is given."""
    return pq.ParquetFile(
        # Closing the reader would close the file, which is opened a second time for the rows.
        pa.PythonFile(file, mode="r"),
        metadata=metadata,
        read_dictionary=list(as_dictionary),
        # pyarrow's own read-ahead would hold the needed columns of the whole file.
        pre_buffer=False,
        buffer_size=1 << 20,
        thrift_string_size_limit=_MAX_LENGTH,
        # An extension type would hide how the column is stored.
        arrow_extensions_enabled=False,
        # Costs little, and tells flipped bits where the writer left checksums.
        page_checksum_verification=True,
    )
