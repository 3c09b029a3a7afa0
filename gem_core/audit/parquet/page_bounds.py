"""What the pages of a column chunk claim, and when that is too much for an audit. Pure.

pyarrow unpacks a page whole and spells out a dictionary's values row by row, so a megabyte of file
can ask for terabytes. Footers may lie; page headers cannot, since pyarrow goes by them.
"""

from dataclasses import dataclass, field

import pyarrow as pa

from gem_core.audit.parquet.pages import (
    DELTA_BYTE_ARRAY,
    MAX_HEADER_BYTES,
    HeaderCut,
    HeaderError,
    PageHeader,
    PageKind,
    longest_value,
    read_header,
)
from gem_core.audit.reading.byte_range import ByteRange

MAX_PAGE_BYTES = 128 << 20
"""Of an unpacked page. Writers make pages of 1 MiB; DuckDB ends them at 100 MiB."""

MAX_SPELLED_BYTES = 128 << 20
"""What one column's values may take in a batch, when each were as long as the longest."""

MAX_DICTIONARY_VALUES = 1 << 21
"""Of one column in one row group. An empty text takes 4 bytes of a page and some 20 of memory.
Writers end dictionaries at 1 MiB, or at a fifth of the row group (DuckDB)."""

MAX_UNPACKED_BYTES = 128 << 30
"""Of all pages together: some minutes. A page of zeros is packed into next to nothing. A thousand
million rows have about 60 GB in the columns that the checks need."""

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
class Unpacked:
    """Bytes that pages of one file have unpacked to, however often it is opened for it."""

    so_far: int = 0

    def add(self, size: int) -> None:
        """Count a page. Raises OutOfBounds when all so far are too many."""
        self.so_far += size
        if self.so_far > MAX_UNPACKED_BYTES:
            raise OutOfBounds(f"its pages unpack to more than {MAX_UNPACKED_BYTES:,} bytes")


@dataclass(slots=True)
class ChunkPages:
    """The pages of one column chunk, as their bytes come by in order."""

    span: ByteRange
    name: str
    codec: str
    texts: bool
    """Whether its values have a length each, and are spelled out row by row."""
    batch_rows: int
    unpacked: Unpacked
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
        if header.kind == PageKind.DICTIONARY and header.values > MAX_DICTIONARY_VALUES:
            raise OutOfBounds(
                f"{self.name} has a dictionary of {header.values:,} values; "
                f"at most {MAX_DICTIONARY_VALUES:,} are"
            )
        self.unpacked.add(header.unpacked)
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
