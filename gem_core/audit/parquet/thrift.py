"""Thrift's compact protocol, in which Parquet footers are written: read, skip, write. Pure.

Source: Apache Thrift, "Thrift Compact protocol encoding". A struct is a dict from the number of a
field to (type, value); a list is (element type, values). Data that ends too early raises IndexError
or ValueError.
"""

from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)

_MAX_DEPTH = 100
"""Of structs and lists in each other. Parquet's own have 6."""

type Struct = dict[int, tuple[int, Any]]


def member(fields: Struct, number: int, kind: int, default: Any = None) -> Any:  # noqa: ANN401 - a value of each type
    """The value of a member; the default where there is none of this type."""
    found, value = fields.get(number, (kind, default))
    return value if found == kind else default


def varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number, and where it ends."""
    value = data[at]
    at += 1
    if value < 0x80:  # noqa: PLR2004 - the bit that says that more bytes follow
        return value, at
    value &= 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - as above
            return value, at
        shift += 7
        if shift > 63:  # noqa: PLR2004 - ten bytes hold 64 bits
            raise ValueError(f"a number of more than 64 bits at {at}")


def integer(data: bytes, at: int) -> tuple[int, int]:
    """A signed number, and where it ends."""
    value, at = varint(data, at)
    value = (value >> 1) ^ -(value & 1)
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"a number of more than 64 bits at {at}")
    return value, at


def field(data: bytes, at: int, last: int) -> tuple[int, int, int]:
    """The number and type of a struct's next field, and where its value begins; type 0 at the end.

    `last` is the number of the field before, at first 0.
    """
    byte = data[at]
    at += 1
    if not byte:
        return 0, 0, at
    if byte >> 4:
        return last + (byte >> 4), byte & 0x0F, at
    number, at = integer(data, at)
    return number, byte & 0x0F, at


def items(data: bytes, at: int) -> tuple[int, int, int]:
    """The type and number of a list's elements, and where they begin."""
    byte = data[at]
    at += 1
    count = byte >> 4
    if count == 0x0F:  # noqa: PLR2004 - more than fit beside the type
        count, at = varint(data, at)
    if count > len(data) - at:  # each has a byte at least
        raise ValueError(f"a list of {count} elements at {at}")
    return byte & 0x0F, count, at


_SIZES = {TRUE: 0, FALSE: 0, BYTE: 1, DOUBLE: 8, UUID: 16}
"""In bytes. The truth value of a field is its type."""


def skip(data: bytes, at: int, kind: int, depth: int = 0) -> int:
    """Where a value ends."""
    if kind in {I16, I32, I64}:
        while data[at] >= 0x80:  # noqa: PLR2004 - more bytes follow
            at += 1
        return at + 1
    if kind == BINARY:
        length, at = varint(data, at)
        return _within(data, at + length)
    if kind in _SIZES:
        return _within(data, at + _SIZES[kind])
    if depth > _MAX_DEPTH:
        raise ValueError(f"too deeply nested at {at}")
    if kind not in _SKIP:
        raise ValueError(f"type {kind} at {at}")
    return _SKIP[kind](data, at, depth)


def _skip_struct(data: bytes, at: int, depth: int) -> int:
    # As `field` and `skip`, but without their calls: most of a footer is skipped here.
    while byte := data[at]:
        at += 1
        kind = byte & 0x0F
        if byte < 0x10:  # noqa: PLR2004 - the number comes by itself
            at = skip(data, at, I16)
        if I16 <= kind <= I64:
            while data[at] >= 0x80:  # noqa: PLR2004 - more bytes follow
                at += 1
            at += 1
        elif kind == BINARY and data[at] < 0x80:  # noqa: PLR2004 - a length of one byte
            at += 1 + data[at]
        else:
            at = skip(data, at, kind, depth + 1)
    return at + 1


def _skip_list(data: bytes, at: int, depth: int) -> int:
    kind, count, at = items(data, at)
    for _ in range(count):
        at = _skip_item(data, at, kind, depth)
    return at


def _skip_item(data: bytes, at: int, kind: int, depth: int) -> int:
    # In a list, a truth value is a byte.
    return skip(data, at, BYTE if kind in {TRUE, FALSE} else kind, depth + 1)


def _skip_map(data: bytes, at: int, depth: int) -> int:
    count, at = varint(data, at)
    if not count:
        return at
    kinds = data[at]
    at += 1
    if 2 * count > len(data) - at:
        raise ValueError(f"a map of {count} elements at {at}")
    for _ in range(count):
        at = _skip_item(data, at, kinds >> 4, depth)
        at = _skip_item(data, at, kinds & 0x0F, depth)
    return at


_SKIP = {STRUCT: _skip_struct, LIST: _skip_list, SET: _skip_list, MAP: _skip_map}


def _within(data: bytes, at: int) -> int:
    if at > len(data):
        raise ValueError(f"a value ends at {at} of {len(data)}")
    return at


def struct(data: bytes, at: int, depth: int = 0) -> tuple[Struct, int]:
    """A struct, and where it ends. Maps and sets in it are left out."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"too deeply nested at {at}")
    fields: Struct = {}
    last = 0
    while True:
        last, kind, at = field(data, at, last)
        if not kind:
            return fields, at
        if kind in {MAP, SET}:
            at = skip(data, at, kind)
            continue
        value, at = _value(data, at, kind, depth)
        fields[last] = kind, value


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in {I16, I32, I64}:
        return integer(data, at)
    if kind in {TRUE, FALSE}:
        return kind == TRUE, at
    if kind == STRUCT:
        return struct(data, at, depth + 1)
    if kind == LIST:
        kind, count, at = items(data, at)
        values = []
        for _ in range(count):
            value, at = _value(data, at, BYTE if kind in {TRUE, FALSE} else kind, depth + 1)
            values.append(value)
        return (kind, values), at
    end = skip(data, at, kind, depth)
    if kind == BINARY:
        _, at = varint(data, at)
    return data[at:end], end


def written(fields: Struct) -> bytes:
    """A struct as bytes. Values are as `struct` gives them."""
    out = bytearray()
    last = 0
    for number, (type_, value) in sorted(fields.items()):
        kind = (TRUE if value else FALSE) if type_ in {TRUE, FALSE} else type_
        delta = number - last
        out += (
            bytes([delta << 4 | kind])
            if 0 < delta < 0x10  # noqa: PLR2004 - fits beside the type
            else bytes([kind]) + _zigzag(number)
        )
        last = number
        if type_ not in {TRUE, FALSE}:
            out += _written_value(kind, value)
    return bytes(out + b"\0")


def list_of(kind: int, values: list[bytes]) -> bytes:
    """A list as bytes, of elements that are bytes already."""
    return bytes([0xF0 | kind]) + _varint(len(values)) + b"".join(values)


def _written_value(kind: int, value: Any) -> bytes:  # noqa: ANN401 - a value of each type
    if kind in {I16, I32, I64}:
        return _zigzag(value)
    if kind == BINARY:
        return _varint(len(value)) + bytes(value)
    if kind == STRUCT:
        return written(value)
    if kind == LIST and not isinstance(value, bytes):
        element, values = value
        return list_of(element, [_written_value(element, one) for one in values])
    return bytes(value)  # as it was read, or as `list_of` made it


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:  # noqa: PLR2004 - does not fit into seven bits
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> bytes:
    return _varint((value << 1) ^ (value >> 63))
