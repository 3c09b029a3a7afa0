"""Decodes columns of an opened Parquet file, in batches that fit into memory. Edge (reads)."""

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.arrow.arrays import numbers
from gem_core.audit.parquet.guard import GuardedFile
from gem_core.audit.parquet.page_bounds import LongValues, OutOfBounds, Unpacked
from gem_core.audit.reading.range_file import RangeFile

MAX_DECODED_BYTES = 128 << 30
"""Of all batches together: some minutes. A thousand million rows have about 60 GB."""

MAX_BATCHES = 1 << 19
"""Some minutes as well, for batches of few rows."""

UNREADABLE = (pa.ArrowException, OSError, UnicodeError, ValueError, OverflowError, MemoryError)
"""What pyarrow raises at a file that is broken. It turns absurd lengths into failed allocations."""


def decoded(
    file: RangeFile,
    metadata: pq.FileMetaData,
    columns: Sequence[str],
    *,
    rows: int,
    as_dictionary: Collection[str] = (),
    groups: Sequence[int] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Decode the columns, at most `rows` rows a batch; fewer from where long values turn up.

    Args:
        file: read only through a guard of its pages.
        metadata: of the file.
        columns: by name.
        rows: in a batch.
        as_dictionary: text columns whose values are not spelled out row by row.
        groups: the row groups to decode, in this order; None is all.

    Raises:
        OutOfBounds: going on would take more memory or time than there is.
        one of UNREADABLE: the data is broken.

    """
    done = held = 0
    unpacked = Unpacked()
    groups = range(metadata.num_row_groups) if groups is None else groups
    while True:
        if metadata.num_rows > rows * MAX_BATCHES:
            raise OutOfBounds(f"{metadata.num_rows:,} rows can only be read {rows} at a time")
        guarded = GuardedFile(
            file,
            metadata,
            set(columns),
            batch_rows=rows,
            unpacked=unpacked,
            as_dictionary=as_dictionary,
        )
        try:
            parquet = open_file(guarded, metadata=metadata, as_dictionary=as_dictionary)
            left, before = _groups_from(done, metadata, groups)
            for batch in _batches(parquet, columns, rows, left, before):
                for column in batch.columns:
                    _check_indices(column)
                done += batch.num_rows
                held += _weighed(batch, before=held)
                yield batch
        except (*UNREADABLE, LongValues, OutOfBounds):
            # pyarrow may have made something else of what the guard raised.
            if guarded.fewer_rows is None:
                if guarded.too_much:
                    raise OutOfBounds(guarded.too_much) from None
                raise
            # At least halved: each row group may have values that are a little longer.
            rows = max(1, min(guarded.fewer_rows, rows // 2))
        else:
            return


def _check_indices(column: pa.Array) -> None:
    """See that a dictionary has what the rows name, which pyarrow takes on trust."""
    if pa.types.is_dictionary(column.type):
        named = numbers(column.indices.drop_null())
        if len(named) and not 0 <= named.min() <= named.max() < len(column.dictionary):
            raise ValueError(f"a row names value {named.max()} of {len(column.dictionary)}")


def _weighed(batch: pa.RecordBatch, *, before: int) -> int:
    """The bytes of a batch. Raises OutOfBounds when all so far are too many."""
    if before + batch.nbytes > MAX_DECODED_BYTES:
        raise OutOfBounds(f"its rows take more than {MAX_DECODED_BYTES:,} bytes when decoded")
    return int(batch.nbytes)


def _batches(
    parquet: pq.ParquetFile, columns: Sequence[str], rows: int, groups: Sequence[int], before: int
) -> Iterator[pa.RecordBatch]:
    """Decode row groups without their first `before` rows, which were decoded already."""
    for some in _at_once(parquet.schema_arrow, columns, groups):
        for batch in parquet.iter_batches(
            batch_size=rows, row_groups=list(some), columns=list(columns), use_threads=False
        ):
            passed = min(before, batch.num_rows)
            before -= passed
            yield batch[passed:] if passed else batch


def _at_once(
    schema: pa.Schema, columns: Sequence[str], groups: Sequence[int]
) -> Iterator[Sequence[int]]:
    """Which row groups may follow one another within a batch.

    Dictionaries below lists or structs must not: each row group brings its own, and pyarrow cannot
    join them there.
    """
    wanted = set(columns)
    if any(_has_dictionary_below(field.type) for field in schema if field.name in wanted):
        return ([group] for group in groups)
    return iter([groups])


def _has_dictionary_below(kind: pa.DataType) -> bool:
    return pa.types.is_nested(kind) and any(
        pa.types.is_dictionary(part) or _has_dictionary_below(part)
        for part in (kind.field(place).type for place in range(kind.num_fields))
    )


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


def open_file(
    file: RangeFile | GuardedFile,
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
        # An extension type would hide how the column is stored.
        arrow_extensions_enabled=False,
        # Costs little, and tells flipped bits where the writer left checksums.
        page_checksum_verification=True,
    )
