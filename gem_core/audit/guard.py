"""Keeps a file from taking more memory than there is: what a page claims is looked at before
pyarrow is handed it. Edge (reads).

pyarrow unpacks a page whole and spells out a dictionary's values row by row, so a megabyte of file
can ask for terabytes. Footers may lie; page headers cannot, since pyarrow goes by them. They pass
through here in any case, so looking costs no request.
"""

import io
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import override

import pyarrow as pa
import pyarrow.parquet as pq

from gem_core.audit.pages import (
    DELTA_BYTE_ARRAY,
    MAX_HEADER_BYTES,
    HeaderCut,
    HeaderError,
    PageHeader,
    PageKind,
    longest_value,
    read_header,
)
from gem_core.audit.plan import Span, chunk_span, column_chunks, leaves_of
from gem_core.audit.ranges import RangeFile

MAX_PAGE_BYTES = 128 << 20
"""Of an unpacked page. Writers make pages of 1 MiB; DuckDB ends them at 100 MiB."""

MAX_SPELLED_BYTES = 128 << 20
"""What one column's values may take in a batch, when each were as long as the longest."""

MAX_ROWS = 1 << 32
"""Of a file. A run of equal values takes no bytes, so bytes do not bound the time. All roads of the
world are some 10^8."""

_HEADER_LOOK = 4096
"""Bytes in which nearly every header ends."""


_PADDING = 100
"""By which old writers end a page too late (PARQUET-816); pyarrow reads on as far for them."""


class OutOfBounds(Exception):
    """Reading on would take more memory or time than an audit has; the message says what."""


class LongValues(Exception):
    """Values so long that a batch must have fewer rows."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"batches of at most {rows} rows")
        self.rows = rows


@dataclass(slots=True)
class _Chunk:
    """The pages of one column chunk, as their bytes come by in order."""

    span: Span
    name: str
    codec: str
    texts: bool
    """Whether its values have a length each, and are spelled out row by row."""
    batch_rows: int
    seen: int = field(init=False)
    """How far the bytes have come by."""
    _left: int = 0
    """Bytes of the present page that are still to come."""
    _head: bytes = b""
    """A header that goes on in the next bytes."""
    _dictionary: PageHeader | None = None
    """Of the present page, when its values must be looked at."""
    _packed: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.seen = self.span.start

    def see(self, offset: int, data: memoryview) -> None:
        """Look at bytes before they are handed on; those that were seen before are passed over.

        Raises:
            OutOfBounds: a page is too large.
            LongValues: a batch of so many rows could be.
            HeaderError: there is no page where one should be.

        """
        if offset > self.seen:
            self._jump(offset)
        data = data[self.seen - offset :]
        self.seen += len(data)
        while data:
            data = self._within_page(data) if self._left else self._at_page(data)

    def _jump(self, offset: int) -> None:
        gap = offset - self.seen
        if gap > self._left or self._dictionary:
            raise HeaderError(f"{self.name}: its pages are not read in their order")
        self._left -= gap
        self.seen = offset

    def _within_page(self, data: memoryview) -> memoryview:
        taken = data[: self._left]
        self._left -= len(taken)
        if self._dictionary:
            self._packed += taken
            if not self._left:
                self._look_at_dictionary(self._dictionary)
        return data[len(taken) :]

    def _at_page(self, data: memoryview) -> memoryview:
        header = self._header(data[:_HEADER_LOOK]) or self._header(data)
        if header is None:
            self._head += data
            if len(self._head) > MAX_HEADER_BYTES:
                raise HeaderError(f"{self.name}: a page header without end")
            return data[len(data) :]
        end = self.seen - len(data) + header.length - len(self._head) + header.stored
        if end > self.span.end + _PADDING:
            # pyarrow would make room for all of it before it missed any.
            raise HeaderError(
                f"{self.name}: a page of {header.stored:,} bytes ends after its column"
            )
        data = data[header.length - len(self._head) :]
        self._head = b""
        self._left = header.stored
        self._judge(header)
        return data

    def _header(self, data: memoryview) -> PageHeader | None:
        try:
            return read_header(self._head + bytes(data))
        except HeaderCut:
            return None

    def _judge(self, header: PageHeader) -> None:
        if header.unpacked > MAX_PAGE_BYTES:
            raise OutOfBounds(
                f"{self.name} has a page that unpacks to {header.unpacked:,} bytes; "
                f"at most {MAX_PAGE_BYTES:,} are"
            )
        if header.encoding == DELTA_BYTE_ARRAY:
            # Each value may repeat all of the one before, so any may be as long as the page.
            self._bound(header.unpacked)
        elif (
            header.kind == PageKind.DICTIONARY
            and self.texts
            # None is longer than all together, without the lengths before them.
            and (header.unpacked - 4 * header.values) * self.batch_rows > MAX_SPELLED_BYTES
        ):
            self._dictionary = header

    def _look_at_dictionary(self, header: PageHeader) -> None:
        self._dictionary = None
        try:
            unpacked = _unpacked(self._packed, self.codec, header.unpacked)
        except (pa.ArrowException, OSError, ValueError):
            self._bound(header.unpacked)
        else:
            self._bound(longest_value(unpacked, header.values))
        self._packed = bytearray()

    def _bound(self, longest: int) -> None:
        if longest * self.batch_rows > MAX_SPELLED_BYTES:
            raise LongValues(max(1, MAX_SPELLED_BYTES // longest))


def _unpacked(packed: bytearray, codec: str, size: int) -> pa.Buffer:
    if codec == "UNCOMPRESSED":
        return pa.py_buffer(packed)
    return pa.Codec(codec.lower()).decompress(packed, decompressed_size=size)


class GuardedFile(io.RawIOBase):
    """A file that looks at the pages of the columns that are read through it."""

    def __init__(
        self,
        file: RangeFile,
        metadata: pq.FileMetaData,
        columns: Collection[str],
        *,
        batch_rows: int,
        as_dictionary: Collection[str] = (),
    ) -> None:
        """Reads go to `file`.

        Args:
            file: where the bytes come from.
            metadata: of the file.
            columns: those that will be read.
            batch_rows: rows that are decoded at once.
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
        self._chunks = _chunks(metadata, columns, batch_rows, as_dictionary)
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
            self._see(Span(offset, offset + len(data)), memoryview(data))
        except OutOfBounds as error:
            self.too_much = str(error)
            raise
        except LongValues as error:
            self.fewer_rows = error.rows
            raise
        return data

    def _see(self, read: Span, data: memoryview) -> None:
        first = max(bisect_right(self._starts, read.start) - 1, 0)
        for chunk in self._chunks[first : bisect_right(self._starts, read.end - 1)]:
            start, end = max(read.start, chunk.span.start), min(read.end, chunk.span.end)
            if start < end:
                chunk.see(start, data[start - read.start : end - read.start])


def _chunks(
    metadata: pq.FileMetaData,
    columns: Collection[str],
    batch_rows: int,
    as_dictionary: Collection[str],
) -> Sequence[_Chunk]:
    rows = sum(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    if rows > MAX_ROWS:
        raise OutOfBounds(f"the footer tells of {rows:,} rows; at most {MAX_ROWS:,} are read")
    belongs = leaves_of(columns)
    found = []
    for chunk in column_chunks(metadata):
        path = chunk.path_in_schema
        if belongs(path) and chunk.total_compressed_size > 0:
            texts = chunk.physical_type == "BYTE_ARRAY" and path not in as_dictionary
            found.append(_Chunk(chunk_span(chunk), path, chunk.compression, texts, batch_rows))
    found.sort(key=lambda chunk: chunk.span)
    end = 0
    for chunk in found:
        if chunk.span.start < end:
            raise OutOfBounds(f"several column chunks share the bytes from {chunk.span.start} on")
        end = chunk.span.end
    return found
