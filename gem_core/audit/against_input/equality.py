"""Whether two columns hold the same values, row by row. Pure (numpy, pyarrow.compute).

Null equals only null; NaN equals NaN; 0.0 equals -0.0. Encodings do not count (dictionary, large
and view types, extension types): both columns have the same `types.plain_type`.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, numbers, true_at, valid
from gem_core.audit.arrow.types import plain_type


def differing(left: pa.Array, right: pa.Array) -> Mask | None:
    """Which rows of two arrays of one length hold different values; None when no row does."""
    if left.type == right.type and _bits(left).equals(_bits(right)):
        return None
    unlike = _differing(left, right)
    return unlike if unlike.any() else None


def without_views(array: pa.Array) -> pa.Array:
    """Convert views of text, bytes and lists to arrays with offsets, and maps of views to lists.

    Arrow cannot yet take rows of text views, and its casts of list views read out of bounds
    (pyarrow 26), so lists are built again.
    """
    kind = array.type
    if not _has_views(kind):
        return array
    if pa.types.is_map(kind):
        return without_views(_as_list(array))
    if not pa.types.is_nested(kind):
        return array.cast(plain_type(kind))
    is_null = pa.array(~valid(array))
    if pa.types.is_struct(kind):
        parts = [without_views(part) for part in array.flatten()]
        fields = [pa.field(old.name, part.type) for old, part in zip(kind, parts, strict=True)]
        return pa.StructArray.from_arrays(parts, fields=fields, mask=is_null)
    offsets = pa.array(np.concatenate([[0], np.cumsum(_lengths(array))]))
    return pa.LargeListArray.from_arrays(offsets, without_views(array.flatten()), mask=is_null)


def _has_views(kind: pa.DataType) -> bool:
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return True
    if pa.types.is_nested(kind):
        return any(_has_views(kind.field(place).type) for place in range(kind.num_fields))
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def _as_list(array: pa.MapArray) -> pa.ListArray:
    kind = array.type
    pair = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
    return array.cast(pa.list_(pair))


def _bits(array: pa.Array) -> pa.Array:
    """Floats as integers, since NaN does not equal NaN."""
    if pa.types.is_floating(array.type):
        return array.view(f"int{array.type.bit_width}")
    return array


def _differing(left: pa.Array, right: pa.Array) -> Mask:
    left, right = _plain(left), _plain(right)
    if pa.types.is_null(left.type):
        return np.zeros(len(left), np.bool_)
    in_left, in_right = valid(left), valid(right)
    unlike: Mask = (in_left != in_right) | (in_left & in_right & _unlike(left, right))
    return unlike


def _plain(array: pa.Array) -> pa.Array:
    """The same values without their encoding."""
    while isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        return _plain(array.dictionary_decode())
    if pa.types.is_map(array.type):
        array = _as_list(array)
    if pa.types.is_nested(array.type):
        return without_views(array)
    return array.cast(plain_type(array.type))


def _unlike(left: pa.Array, right: pa.Array) -> Mask:
    """Which values differ; where one is null, the answer has no meaning."""
    kind = left.type
    if pa.types.is_floating(kind):
        ones, others = numbers(left), numbers(right)
        unlike: Mask = (ones != others) & ~(np.isnan(ones) & np.isnan(others))
        return unlike
    if pa.types.is_struct(kind):
        unlike = np.zeros(len(left), np.bool_)
        for one, other in zip(left.flatten(), right.flatten(), strict=True):
            unlike |= _differing(one, other)
        return unlike
    if pa.types.is_nested(kind):
        return _unlike_lists(left, right)
    return true_at(pc.not_equal(left, right))


def _unlike_lists(left: pa.Array, right: pa.Array) -> Mask:
    lengths = _lengths(left)
    unlike: Mask = lengths != _lengths(right)
    alike = np.flatnonzero(valid(left) & valid(right) & ~unlike)
    places = pa.array(alike)
    parts = _differing(left.take(places).flatten(), right.take(places).flatten())
    unlike[np.repeat(alike, lengths[alike])[parts]] = True
    return unlike


def _lengths(lists: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.list_value_length(lists).cast(pa.int64()), 0))
