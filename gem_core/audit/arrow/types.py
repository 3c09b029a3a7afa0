"""What the types of a file's columns mean, and how the types of two files compare. Pure."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

_INT96 = b"gem:int96"
_UNREADABLE = b"gem:unreadable"


def marked(field: pa.Field, *, int96: Sequence[bool], unreadable: str) -> pa.Field:
    """The field with what its type does not say, also on the fields below it.

    Args:
        field: a column.
        int96: of each leaf, in the order of the schema, whether it is stored as INT96.
        unreadable: why the column is closed, or empty.

    """
    if any(int96) and not unreadable:
        field = _with_int96(field, iter(int96))
    if not unreadable:
        return field
    return field.with_metadata({_UNREADABLE: unreadable.encode()})


def _with_int96(field: pa.Field, leaves: Iterator[bool]) -> pa.Field:
    parts = fields_below(field.type)
    if not parts:
        return field.with_metadata({_INT96: b"1"}) if next(leaves, False) else field
    parts = [_with_int96(part, leaves) for part in parts]
    if pa.types.is_struct(field.type):
        return field.with_type(pa.struct(parts))
    return field.with_type(pa.map_(*parts) if pa.types.is_map(field.type) else pa.list_(*parts))


def fields_below(kind: pa.DataType) -> list[pa.Field]:
    """The fields of a struct, list or map; none of another type."""
    if pa.types.is_struct(kind):
        return [*kind]
    if pa.types.is_map(kind):
        return [kind.key_field, kind.item_field]
    return [kind.value_field] if pa.types.is_list(kind) else []


def unreadable(field: pa.Field) -> str:
    """Why the column's values cannot be read, in words, or empty."""
    reason: bytes = (field.metadata or {}).get(_UNREADABLE, b"")
    return reason.decode()


def is_int96(field: pa.Field) -> bool:
    """Whether the column is stored as INT96. It is read as microseconds."""
    return _INT96 in (field.metadata or {})


def holds_int96(field: pa.Field) -> bool:
    """Whether the column, or a field below it, is stored as INT96."""
    return is_int96(field) or any(map(holds_int96, fields_below(field.type)))


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

    INT96 does not say whether its moments are UTC, so it is either. Writers choose the names of
    lists' elements and of maps' entries.
    """
    was, now = old.type, new.type
    if _nested_alike(was, now):
        pairs = zip(fields_below(was), fields_below(now), strict=True)
        return all(same_type(*pair) for pair in pairs)
    if is_int96(old) or is_int96(new):
        moments = pa.types.is_timestamp(was) and pa.types.is_timestamp(now)
        return bool(moments and was.unit == now.unit)
    return bool(was == now)


def _nested_alike(was: pa.DataType, now: pa.DataType) -> bool:
    """Whether both are structs with the same names, or both are lists, or both are maps."""
    if was.id != now.id:
        return False
    if pa.types.is_struct(was):
        return [part.name for part in was] == [part.name for part in now]
    return bool(pa.types.is_list(was) or pa.types.is_map(was))


def widens(old: pa.Field, new: pa.Field) -> bool:
    """Whether the new type is another one that holds every value of the old one.

    So do a finer unit of time, as far as its years reach, more bits, and more digits on either side
    of the point; any type for a column without values, bytes of any length for bytes of one length,
    and a decimal for an integer; and a struct, list or map of such types.
    """
    was, now = old.type, new.type
    if _nested_alike(was, now):
        pairs = [*zip(fields_below(was), fields_below(now), strict=True)]
        wider = [widens(*pair) for pair in pairs]
        kept = (is_wider or same_type(*pair) for is_wider, pair in zip(wider, pairs, strict=True))
        return any(wider) and all(kept)
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
