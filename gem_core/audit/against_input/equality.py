"""Whether two columns hold the same values, row by row. Pure (numpy, pyarrow.compute).

Null equals only null; NaN equals NaN; 0.0 equals -0.0. Both columns have one type, except for
names, or the left one has a wider type (`types.widens`): then numbers and moments are compared.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, numbers, true_at, valid
from gem_core.audit.arrow.types import units_in


def differing(left: pa.Array, right: pa.Array) -> Mask | None:
    """Which rows of two arrays of one length hold different values; None when no row does."""
    if left.type == right.type and _bits(left).equals(_bits(right)):
        return None
    unlike = _differing(left, right)
    return unlike if unlike.any() else None


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
    in_left, in_right = valid(left), valid(right)
    unlike: Mask = in_left != in_right
    if not pa.types.is_null(right.type):
        unlike |= in_left & in_right & _unlike(left, right)
    return unlike


def _plain(array: pa.Array) -> pa.Array:
    return _as_list(array) if pa.types.is_map(array.type) else array


def _unlike(left: pa.Array, right: pa.Array) -> Mask:
    """Which values differ; where one is null, the answer has no meaning."""
    kind = left.type
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return _unlike_moments(left, right)
    if not pa.types.is_nested(kind):
        right = right.cast(kind)
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


def _unlike_moments(left: pa.Array, right: pa.Array) -> Mask:
    """In the units of the left one. Not by a cast, in which a moment may not fit."""
    units, rest = np.divmod(_units(left), units_in(right.type, left.type))
    unlike: Mask = (units != _units(right)) | (rest != 0)
    return unlike


def _units(moments: pa.Array) -> np.ndarray:
    return numbers(moments.view(f"int{moments.type.bit_width}")).astype(np.int64)


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
