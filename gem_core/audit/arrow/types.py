"""What the types of a file's columns mean, and how the types of two files compare. Pure."""

import pyarrow as pa

_INT96 = b"gem:int96"
_UNREADABLE = b"gem:unreadable"


def marked(field: pa.Field, *, int96: bool, unreadable: str) -> pa.Field:
    """The field with what its type does not say: it is stored as INT96, or why it is closed."""
    marks = {_INT96: b"1"} if int96 else {}
    return field.with_metadata(marks | ({_UNREADABLE: unreadable.encode()} if unreadable else {}))


def unreadable(field: pa.Field) -> str:
    """Why the column's values cannot be read, in words, or empty."""
    reason: bytes = (field.metadata or {}).get(_UNREADABLE, b"")
    return reason.decode()


def is_int96(field: pa.Field) -> bool:
    """Whether the column is stored as INT96. It is read as microseconds."""
    return _INT96 in (field.metadata or {})


def unknown_type(description: str) -> pa.DataType:
    """The type of a column for which pyarrow has none: equal if the description is."""
    return pa.opaque(pa.null(), description, "parquet")


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text."""
    return bool(pa.types.is_string(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values of this type have any length, in bytes: text or binary."""
    return is_text(kind) or bool(pa.types.is_binary(kind))


def same_type(old: pa.Field, new: pa.Field) -> bool:
    """Whether two columns have one type by what Parquet says.

    INT96 does not say whether its moments are UTC, so it is either.
    """
    if is_int96(old) or is_int96(new):
        moments = pa.types.is_timestamp(old.type) and pa.types.is_timestamp(new.type)
        return bool(moments and old.type.unit == new.type.unit)
    return bool(plain_type(old.type) == plain_type(new.type))


def widens(old: pa.Field, new: pa.Field) -> bool:
    """Whether the new type is another one that holds every value of the old one.

    So do a finer unit of time, as far as its years reach, more bits, and more digits on either side
    of the point; any type for a column without values, bytes of any length for bytes of one length,
    and a decimal for an integer.
    """
    was, now = old.type, new.type
    if pa.types.is_null(was):
        return not pa.types.is_null(now)
    if pa.types.is_timestamp(was) and pa.types.is_timestamp(now):
        utc_kept = (was.tz is None) == (now.tz is None) or is_int96(old) or is_int96(new)
        return utc_kept and units_in(was, now) > 1
    if pa.types.is_time(was) and pa.types.is_time(now):
        return units_in(was, now) > 1
    if pa.types.is_fixed_size_binary(was):
        return bool(pa.types.is_binary(now))
    return _widens_numbers(was, now)


def _widens_numbers(was: pa.DataType, now: pa.DataType) -> bool:
    if was == now:
        return False
    if pa.types.is_floating(was) and pa.types.is_floating(now):
        return bool(now.bit_width > was.bit_width)
    if pa.types.is_integer(was) and pa.types.is_integer(now):
        return _holds_integers(was, now)
    if not pa.types.is_decimal(now):
        return False
    digits = now.precision - now.scale
    if pa.types.is_integer(was):
        return bool(digits >= _digits(was))
    return bool(
        pa.types.is_decimal(was) and now.scale >= was.scale and digits >= was.precision - was.scale
    )


def _digits(kind: pa.DataType) -> int:
    """Of the largest integer of this type."""
    return len(str(2 ** (kind.bit_width - pa.types.is_signed_integer(kind))))


_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def units_in(coarse: pa.DataType, fine: pa.DataType) -> int:
    """How many units of the finer type of times one of the coarser type has; 0 the other way."""
    return _PER_SECOND[fine.unit] // _PER_SECOND[coarse.unit]


def _holds_integers(was: pa.DataType, now: pa.DataType) -> bool:
    if pa.types.is_signed_integer(was) == pa.types.is_signed_integer(now):
        return bool(now.bit_width > was.bit_width)
    return bool(pa.types.is_signed_integer(now) and now.bit_width > was.bit_width)


def shown(field: pa.Field) -> str:
    """The type in words."""
    return f"{field.type} (INT96)" if is_int96(field) else str(field.type)[:200]


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type without the names of lists' elements and maps' entries, which writers choose."""
    if pa.types.is_struct(kind):
        return pa.struct([(part.name, plain_type(part.type)) for part in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(plain_type(kind.value_type))
    return kind
