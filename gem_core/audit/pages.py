"""What the header of a Parquet page claims, and how long a dictionary's values are. Pure.

Source: the Parquet format's parquet.thrift (PageHeader, DictionaryPageHeader, DataPageHeader,
DataPageHeaderV2) in Thrift's compact protocol. Only what bounds the memory of a reader is kept.
"""

from collections.abc import Buffer, Iterator
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
    walk = _Walk(data)
    try:
        numbers, parts = walk.header()
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
    return PageHeader(kind, unpacked, stored, part.get(1, 0), encoding, walk.position)


def longest_value(dictionary: Buffer, values: int) -> int:
    """The length in bytes of the longest value of a dictionary of texts, plainly encoded.

    A dictionary that is broken is measured as far as it goes; decoding it fails anyway.
    """
    view = memoryview(dictionary)
    if values > 0 and len(view) % values == 0 and (width := len(view) // values) > _LENGTH.size:
        lengths = np.frombuffer(view, np.uint8).reshape(values, width)[:, : _LENGTH.size]
        if (lengths == lengths[0]).all() and _LENGTH.unpack_from(view)[0] + _LENGTH.size == width:
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


class _Walk:
    """Goes over one struct of the compact protocol. IndexError at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def header(self) -> tuple[dict[int, int], dict[int, dict[int, int]]]:
        """Read the integers of a page header, and those of the structs in it, by field."""
        numbers: dict[int, int] = {}
        parts: dict[int, dict[int, int]] = {}
        for number, kind in self._fields():
            if kind == _STRUCT:
                parts[number] = self._numbers()
            elif kind == _I32:
                numbers[number] = self._zigzag()
            else:
                self._skip(kind)
        return numbers, parts

    def _numbers(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for number, kind in self._fields():
            if kind == _I32:
                found[number] = self._zigzag()
            else:
                self._skip(kind)
        return found

    def _fields(self) -> Iterator[tuple[int, int]]:
        """Each field's number and type; whoever asks for the next has gone over its value."""
        number, data = 0, self._data
        while head := data[self.position]:
            self.position += 1
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            yield number, head & 0x0F
        self.position += 1

    def _skip(self, kind: int) -> None:
        """Go over the value of a field; that of a truth is in its type."""
        if kind not in {_TRUE, _FALSE}:
            self._skip_value(kind, 0)

    def _skip_value(self, kind: int, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise HeaderError("a page header that is nested too deep")
        if size := _SIZES.get(kind):
            self._pass(size)
        elif kind in {_I16, _I32, _I64}:
            self._varint()
        elif kind == _BINARY:
            self._pass(self._varint())
        elif kind in {_LIST, _SET}:
            head = self._byte()
            for _ in range(self._varint() if head >> 4 == _LONG else head >> 4):
                self._skip_value(head & 0x0F, depth + 1)
        elif kind == _STRUCT:
            for _, inner in self._fields():
                if inner not in {_TRUE, _FALSE}:
                    self._skip_value(inner, depth + 1)
        else:
            raise HeaderError(f"a page header with a field of type {kind}")

    def _byte(self) -> int:
        self.position += 1
        return self._data[self.position - 1]

    def _pass(self, length: int) -> None:
        self.position += length
        if self.position > len(self._data):
            raise IndexError

    def _varint(self) -> int:
        value, data, position = 0, self._data, self.position
        for shift in range(0, _MAX_VARINT, 7):
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < _MORE:
                self.position = position
                return value
        raise HeaderError("a page header with a number without end")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
