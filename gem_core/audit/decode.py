"""Decodes columns of an opened Parquet file, in batches that fit into memory. Edge (reads)."""

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.guard import GuardedFile, LongValues
from gem_core.audit.ranges import RangeFile

UNREADABLE = (pa.ArrowException, OSError, UnicodeError, ValueError, OverflowError, MemoryError)
"""What pyarrow raises at a file that is broken. It turns absurd lengths into failed allocations."""


def decoded(
    file: RangeFile,
    metadata: pq.FileMetaData,
    columns: Sequence[str],
    *,
    rows: int,
    as_dictionary: Collection[str],
) -> Iterator[pa.RecordBatch]:
    """Decode the columns, at most `rows` rows a batch; fewer from where long values turn up.

    Args:
        file: read only through a guard of its pages.
        metadata: of the file.
        columns: by name.
        rows: in a batch.
        as_dictionary: text columns whose values are not spelled out row by row.

    Raises:
        OutOfBounds: going on would take more memory or time than there is.
        one of UNREADABLE: the data is broken.

    """
    done = 0
    while True:
        guarded = GuardedFile(
            file, metadata, set(columns), batch_rows=rows, as_dictionary=as_dictionary
        )
        try:
            for batch in _from(done, guarded, metadata, columns, rows, as_dictionary):
                done += batch.num_rows
                yield batch
        except (*UNREADABLE, LongValues) as error:
            # pyarrow may have made something else of what the guard raised.
            if not isinstance(guarded.finding, LongValues):
                raise (guarded.finding or error) from None
            rows = guarded.finding.rows
        else:
            return


def _from(
    first: int,
    file: GuardedFile,
    metadata: pq.FileMetaData,
    columns: Sequence[str],
    rows: int,
    as_dictionary: Collection[str],
) -> Iterator[pa.RecordBatch]:
    """Give the rows from one on; those before it in its row group are decoded once more."""
    groups, before = _groups_from(first, metadata)
    parquet = open_file(file, metadata=metadata, as_dictionary=as_dictionary)
    for batch in parquet.iter_batches(
        batch_size=rows, row_groups=groups, columns=list(columns), use_threads=False
    ):
        passed = min(before, batch.num_rows)
        before -= passed
        yield batch[passed:] if passed else batch


def _groups_from(row: int, metadata: pq.FileMetaData) -> tuple[list[int], int]:
    """The row groups from that of a row on, and the row's number within its group."""
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if row < rows:
            return list(range(group, metadata.num_row_groups)), row
        row -= rows
    return [], 0


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
