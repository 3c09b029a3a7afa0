"""What the header of a Parquet page claims, and how long a dictionary's values are. Pure.

Source: the Parquet format's parquet.thrift (PageHeader, DictionaryPageHeader, DataPageHeader,
DataPageHeaderV2) in Thrift's compact protocol. Only what bounds the memory of a reader is kept.
"""

from collections.abc import Buffer
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct, error
from typing import Final

import numpy as np

MAX_HEADER_BYTES = 1 << 20
"""A header is some dozen bytes, and longer where it holds the least and greatest value."""
_MAX_DEPTH = 16
_MAX_VARINT = 70
"""Bits: ten bytes of seven."""
_MORE = 0x80
"""From this on, a byte of a varint says that another follows."""
_LONG = 15
"""A list of so many elements, or more: their number follows."""

_LENGTH: Final = Struct("<I")
"""What stands before a text that is plainly encoded."""

# Types of the compact protocol.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_SIZES = {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8}
"""Of values of one size, as they are in lists."""


class PageKind(IntEnum):
    """The types of page that a reader decodes."""

    DATA = 0
    INDEX = 1
    DICTIONARY = 2
    DATA_V2 = 3


DELTA_BYTE_ARRAY = 7
"""Encoding whose values repeat the beginning of the value before them without storing it."""

_PARTS = {5: 2, 7: 2, 8: 4}
"""The field that says how a page is encoded, within the field of each kind of page."""


class HeaderError(ValueError):
    """Bytes that are no page header."""


class HeaderCut(Exception):
    """The header goes on beyond the bytes at hand."""


@dataclass(frozen=True, slots=True)
class PageHeader:
    """The claims of one page."""

    kind: int
    unpacked: int
    """Bytes after decompression."""
    stored: int
    """Bytes in the file."""
    values: int
    encoding: int | None
    length: int
    """Of the header itself, in bytes."""


def read_header(data: bytes) -> PageHeader:
    """Read the page header that `data` begins with.

    Raises:
        HeaderCut: it does not end within `data`.
        HeaderError: it is none.

    """
    numbers: dict[int, int] = {}
    parts: dict[int, dict[int, int]] = {}
    try:
        length = _struct(data, 0, 0, numbers, parts)
    except IndexError:
        raise HeaderCut from None
    try:
        kind, unpacked, stored = numbers[1], numbers[2], numbers[3]
    except KeyError as missing:
        raise HeaderError(f"a page header without field {missing}") from None
    if unpacked < 0 or stored < 0:
        raise HeaderError(f"a page of {stored} bytes that unpacks to {unpacked}")
    number = next((number for number in _PARTS if number in parts), None)
    part = parts[number] if number else {}
    encoding = part.get(_PARTS[number]) if number else None
    return PageHeader(kind, unpacked, stored, part.get(1, 0), encoding, length)


def longest_value(dictionary: Buffer, values: int) -> int:
    """The length in bytes of the longest value of a dictionary of texts, plainly encoded.

    A dictionary that is broken is measured as far as it goes; decoding it fails anyway.
    """
    view = memoryview(dictionary)
    if values > 0 and len(view) % values == 0 and (width := len(view) // values) > _LENGTH.size:
        lengths = np.ndarray(values, "<u4", view, strides=(width,))
        if (lengths == width - _LENGTH.size).all():
            return width - _LENGTH.size
    longest = position = 0
    read = _LENGTH.unpack_from
    try:
        for _ in range(values):
            length = read(view, position)[0]
            position += length + 4
            longest = max(longest, length)
    except error:
        pass
    return min(longest, len(view))


# Each of these takes the bytes and a position in them, and gives the position after what it went
# over. There is a header for every few thousand rows, so they are written to be quick.


def _struct(
    data: bytes,
    position: int,
    depth: int,
    numbers: dict[int, int],
    parts: dict[int, dict[int, int]] | None = None,
) -> int:
    """Read the integers of a struct by field; `parts` takes those of the structs in it."""
    if depth > _MAX_DEPTH:
        raise HeaderError("a page header that is nested too deep")
    number = 0
    while head := data[position]:
        position += 1
        kind = head & 0x0F
        if head >> 4:
            number += head >> 4
        else:
            number, position = _varint(data, position)
            number = _signed(number)
        if kind == _I32:
            value, position = _varint(data, position)
            numbers[number] = _signed(value)
        elif kind == _STRUCT:
            inner: dict[int, int] = {}
            position = _struct(data, position, depth + 1, inner)
            if parts is not None:
                parts[number] = inner
        elif kind > _FALSE:  # a truth is in its type
            position = _skipped(data, position, kind, depth)
    return position + 1


def _skipped(data: bytes, position: int, kind: int, depth: int) -> int:
    if kind == _BINARY:
        length, position = _varint(data, position)
        return _within(data, position + length)
    if size := _SIZES.get(kind):
        return _within(data, position + size)
    if kind in {_I16, _I32, _I64}:
        return _varint(data, position)[1]
    if kind in {_LIST, _SET}:
        return _skipped_list(data, position, depth + 1)
    if kind == _STRUCT:
        return _struct(data, position, depth + 1, {})
    raise HeaderError(f"a page header with a field of type {kind}")


def _skipped_list(data: bytes, position: int, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise HeaderError("a page header that is nested too deep")
    head = data[position]
    count, position = head >> 4, position + 1
    if count == _LONG:
        count, position = _varint(data, position)
    for _ in range(count):
        position = _skipped(data, position, head & 0x0F, depth)
    return position


def _within(data: bytes, position: int) -> int:
    if position > len(data):
        raise IndexError
    return position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, least first; gives the position after it too."""
    value = data[position]
    if value < _MORE:
        return value, position + 1
    value &= 0x7F
    for shift in range(7, _MAX_VARINT, 7):
        position += 1
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value, position + 1
    raise HeaderError("a page header with a number without end")


def _signed(zigzag: int) -> int:
    return (zigzag >> 1) ^ -(zigzag & 1)
