"""From the metadata alone: which bytes of a file are needed, how many rows to decode at once."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby

import pyarrow.parquet as pq

from gem_core.audit.reading.byte_range import ByteRange, RowGroup

BATCH_BYTES = 16 << 20
"""Decoded bytes of the needed columns in one batch, about."""

BATCH_ROWS = 131_072
"""More rows than this gain no speed."""


def chunks(
    metadata: pq.FileMetaData,
    columns: Collection[str] | None = None,
    groups: Sequence[int] | None = None,
) -> Iterator[RowGroup]:
    """Where the footer places the chunks of the named columns, or of all, by row group.

    A broken footer may give any numbers; they are not corrected here.
    """
    belongs = leaves_of(columns or ())
    for number in range(metadata.num_row_groups) if groups is None else groups:
        yield [
            chunk_span(chunk)
            for chunk in group_chunks(metadata, number)
            if columns is None or belongs(chunk.path_in_schema)
        ]


def chunk_span(chunk: pq.ColumnChunkMetaData) -> ByteRange:
    """Where a column chunk lies as the footer gives it, dictionary included."""
    # 0 and None both say that there is no such page.
    pages = (chunk.dictionary_page_offset, chunk.data_page_offset)
    start = min((page for page in pages if page), default=0)
    return ByteRange(start, start + chunk.total_compressed_size)


def leaves_of(columns: Collection[str]) -> Callable[[str], bool]:
    """Make the test whether the leaf of a path belongs to one of the columns.

    It is pyarrow's: the path begins with the column's name and a dot, or is the name. Either may
    have any number of dots, so the path is looked up in the order of the names as a whole.
    """
    names: list[str] = []
    for name in sorted(f"{column}." for column in columns):
        if not (names and name.startswith(names[-1])):  # its leaves are that one's too
            names.append(name)

    def belongs(path: str) -> bool:
        # What lies in order between a prefix of the path and the path begins with the prefix too,
        # and of such names only the first was kept.
        path += "."
        place = bisect_right(names, path)
        return place > 0 and path.startswith(names[place - 1])

    return belongs


def coded_by_delta(metadata: pq.FileMetaData, column: str) -> bool:
    """Whether a flat column has pages of text that pyarrow cannot give as a dictionary.

    Source: Apache Parquet, Encodings: DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY.
    """
    return any(
        encoding.startswith("DELTA")
        for chunk in column_chunks(metadata)
        if chunk.path_in_schema == column
        for encoding in chunk.encodings
    )


def group_chunks(metadata: pq.FileMetaData, group: int) -> Iterator[pq.ColumnChunkMetaData]:
    """Each column chunk of a row group."""
    row_group = metadata.row_group(group)
    return (row_group.column(index) for index in range(row_group.num_columns))


def column_chunks(metadata: pq.FileMetaData) -> Iterator[pq.ColumnChunkMetaData]:
    """Each column chunk of the file, by row group."""
    for group in range(metadata.num_row_groups):
        yield from group_chunks(metadata, group)


def runs(
    metadata: pq.FileMetaData, columns: Collection[str], groups: Sequence[int], *, apart: bool
) -> Iterator[tuple[int, Sequence[int]]]:
    """How many rows to decode at once so that a batch stays near `BATCH_BYTES`, by row group.

    Args:
        metadata: of the file.
        columns: that are decoded.
        groups: the row groups, in the order of decoding.
        apart: whether each row group is decoded by itself. Otherwise those that follow one another
            come together when they have batches of the same size.

    """
    belongs = leaves_of(columns)

    def rows(group: int) -> int:
        return _batch_rows(metadata, group, belongs)

    if apart:
        yield from ((rows(group), [group]) for group in groups)
    else:
        yield from ((size, list(run)) for size, run in groupby(groups, key=rows))


def _batch_rows(metadata: pq.FileMetaData, group: int, belongs: Callable[[str], bool]) -> int:
    """Rows of a batch: `BATCH_ROWS`, or a power of two, so that similar row groups have the same.

    A footer may be broken, so each size may be any number.
    """
    taken = sum(
        chunk.total_uncompressed_size
        for chunk in group_chunks(metadata, group)
        if belongs(chunk.path_in_schema)
    )
    fitting = BATCH_BYTES * max(metadata.row_group(group).num_rows, 1) // max(taken, 1)
    return BATCH_ROWS if fitting >= BATCH_ROWS else 1 << max(fitting.bit_length() - 1, 0)
