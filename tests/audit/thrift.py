"""Thrift's compact protocol, read and written, so that tests can forge Parquet footers and pages.

Source: Apache Thrift, "Thrift Compact protocol encoding". A struct is a dict from field id to
(type, value); a list is (element type, values).
"""

import struct
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)

type Struct = dict[int, tuple[int, Any]]


class Reader:
    """Reads from `position` on."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self) -> Struct:
        fields: Struct = {}
        last = 0
        while byte := self._byte():
            kind, delta = byte & 0x0F, byte >> 4
            last = last + delta if delta else self.zigzag()
            value = kind == TRUE if kind in {TRUE, FALSE} else self.value(kind)
            fields[last] = (kind, value)
        return fields

    def value(self, kind: int) -> Any:  # noqa: ANN401, PLR0911 - a value of each type
        match kind:
            case 1 | 2:  # in a list, a bool is a byte
                return self._byte() == TRUE
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self.zigzag()
            case 7:
                return struct.unpack("<d", self._take(8))[0]
            case 8:
                return self._take(self.varint())
            case 9 | 10:
                byte = self._byte()
                element, count = byte & 0x0F, byte >> 4
                count = self.varint() if count == 15 else count
                return element, [self.value(element) for _ in range(count)]
            case 12:
                return self.struct()
        raise ValueError(f"type {kind} at {self.position}")

    def _byte(self) -> int:
        self.position += 1
        return self.data[self.position - 1]

    def _take(self, length: int) -> bytes:
        self.position += length
        return self.data[self.position - length : self.position]


def written(fields: Struct) -> bytes:
    """A struct in bytes."""
    out = bytearray()
    last = 0
    for number, (type_, value) in sorted(fields.items()):
        kind = (TRUE if value else FALSE) if type_ in {TRUE, FALSE} else type_
        delta = number - last
        out += bytes([delta << 4 | kind]) if 0 < delta < 16 else bytes([kind]) + zigzag(number)
        last = number
        out += b"" if kind in {TRUE, FALSE} else _value(kind, value)
    return bytes(out + b"\0")


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def zigzag(value: int) -> bytes:
    return varint((value << 1) ^ (value >> 63) if value < 0 else value << 1)


def _value(kind: int, value: Any) -> bytes:  # noqa: ANN401, PLR0911 - a value of each type
    match kind:
        case 1 | 2:
            return bytes([TRUE if value else FALSE])
        case 3:
            return bytes([value])
        case 4 | 5 | 6:
            return zigzag(value)
        case 7:
            return struct.pack("<d", value)
        case 8:
            return varint(len(value)) + bytes(value)
        case 9 | 10:
            element, values = value
            short = len(values) < 15
            head = bytes([(len(values) if short else 15) << 4 | element])
            head += b"" if short else varint(len(values))
            return head + b"".join(_value(element, one) for one in values)
        case 12:
            return written(value)
    raise ValueError(f"type {kind}")
