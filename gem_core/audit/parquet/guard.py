"""Keeps a file from taking more memory than there is: what a page claims is looked at before
pyarrow is handed it. Edge (reads).

Page headers pass through here in any case, so looking costs no request; `page_bounds` judges them.
"""

import io
from bisect import bisect_right
from collections.abc import Collection, Sequence
from typing import override

import pyarrow.parquet as pq

from gem_core.audit.parquet.column_chunks import chunk_span, column_chunks, leaves_of
from gem_core.audit.parquet.page_bounds import ChunkPages, LongValues, OutOfBounds, Unpacked
from gem_core.audit.reading.byte_range import ByteRange
from gem_core.audit.reading.range_file import RangeFile

MAX_ROWS = 1 << 30
"""Of a file. A run of equal values takes no bytes, so bytes do not bound the time. All roads of the
world are some 10^8."""


class GuardedFile(io.RawIOBase):
    """A file that looks at the pages of the columns that are read through it."""

    def __init__(
        self,
        file: RangeFile,
        metadata: pq.FileMetaData,
        columns: Collection[str],
        *,
        batch_rows: int,
        unpacked: Unpacked,
        as_dictionary: Collection[str] = (),
    ) -> None:
        """Reads go to `file`.

        Args:
            file: where the bytes come from.
            metadata: of the file.
            columns: those that will be read.
            batch_rows: rows that are decoded at once.
            unpacked: counts the bytes of its pages.
            as_dictionary: columns whose values are not spelled out row by row.

        Raises:
            OutOfBounds: the footer itself claims too much, or gives bytes to several columns.

        """
        super().__init__()
        self._file = file
        # As values: an exception that is kept would keep its frames, and the whole file with them.
        self.too_much = ""
        """Why reading was stopped for good, or empty."""
        self.fewer_rows: int | None = None
        """How many rows a batch may have at most; None while that is as it was."""
        self._chunks = _chunks(metadata, columns, batch_rows, unpacked, as_dictionary)
        self._starts = [chunk.span.start for chunk in self._chunks]

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._file.tell()

    def size(self) -> int:
        """Length of the file; pyarrow asks for it."""
        return self._file.size()

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        offset = self._file.tell()
        data = self._file.read(size)
        try:
            self._see(ByteRange(offset, offset + len(data)), memoryview(data))
        except OutOfBounds as error:
            self.too_much = str(error)
            raise
        except LongValues as error:
            self.fewer_rows = error.rows
            raise
        return data

    def _see(self, read: ByteRange, data: memoryview) -> None:
        first = max(bisect_right(self._starts, read.start) - 1, 0)
        for chunk in self._chunks[first : bisect_right(self._starts, read.end - 1)]:
            start, end = max(read.start, chunk.span.start), min(read.end, chunk.span.end)
            if start < end:
                chunk.see(start, data[start - read.start : end - read.start])


def _chunks(
    metadata: pq.FileMetaData,
    columns: Collection[str],
    batch_rows: int,
    unpacked: Unpacked,
    as_dictionary: Collection[str],
) -> Sequence[ChunkPages]:
    rows = sum(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    if rows > MAX_ROWS:
        raise OutOfBounds(f"the footer tells of {rows:,} rows; at most {MAX_ROWS:,} are read")
    belongs = leaves_of(columns)
    found = []
    for chunk in column_chunks(metadata):
        path = chunk.path_in_schema
        if belongs(path) and chunk.total_compressed_size > 0:
            texts = chunk.physical_type == "BYTE_ARRAY" and path not in as_dictionary
            span, codec = chunk_span(chunk), chunk.compression
            found.append(ChunkPages(span, path, codec, texts, batch_rows, unpacked))
    found.sort(key=lambda chunk: chunk.span)
    end = 0
    for chunk in found:
        if chunk.span.start < end:
            raise OutOfBounds(f"several column chunks share the bytes from {chunk.span.start} on")
        end = chunk.span.end
    return found
