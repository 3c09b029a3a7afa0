"""Converts the ids of two files to one type, so that 17 and "17" are the same id. Pure."""

import pyarrow as pa
import pyarrow.compute as pc

from gem_core.audit.arrow.arrays import Mask, valid
from gem_core.audit.arrow.text import as_text, readable

_INT64 = range(-(2**63), 2**63)


def key_type(output: pa.DataType, input_type: pa.DataType | None) -> pa.DataType:
    """Choose int64 where it holds every id of the input, text otherwise.

    Text in the output for integers in the input (as other generations of GEM document it) is
    compared as integers: they take less memory, and stay in the input's order.
    """
    kinds = [output] if input_type is None else [output, input_type]
    if any(pa.types.is_uint64(kind) for kind in kinds):
        return pa.string()
    return pa.int64() if pa.types.is_integer(kinds[-1]) else pa.string()


def to_keys(ids: pa.Array, key: pa.DataType) -> tuple[pa.Array, dict[int, bytes]]:
    """Convert ids to the key type.

    Returns:
        The keys, null where the id is null or not an integer; and, by position, the ids that are
        not integers. Such a text ("017", "1.0", "x") differs from every integer as the input would
        print it, and so from each id of the input. They are bytes, since text may be invalid UTF-8.

    """
    if not pa.types.is_integer(key):
        return as_text(ids), {}
    if pa.types.is_integer(ids.type):
        return ids.cast(key), {}
    texts = as_text(ids)
    try:
        keys = texts.cast(key)
        if keys.cast(pa.string()).equals(texts):
            return keys, {}
    except pa.ArrowInvalid:
        pass
    return _one_by_one(texts, key)


def _one_by_one(texts: pa.StringArray, key: pa.DataType) -> tuple[pa.Array, dict[int, bytes]]:
    values: list[int | None] = []
    non_integers: dict[int, bytes] = {}
    for position, text in enumerate(texts.cast(pa.binary()).to_pylist()):
        value = None if text is None else _integer(text)
        values.append(value)
        if text is not None and value is None:
            non_integers[position] = text
    return pa.array(values, key), non_integers


def _integer(text: bytes) -> int | None:
    # bytes.isdigit knows only the digits of ASCII.
    if not text.removeprefix(b"-").isdigit() or len(text) > len(str(_INT64.start)):
        return None
    value = int(text)
    return value if value in _INT64 and str(value).encode() == text else None


def first_of(keys: pa.Array, count: int) -> list[str]:
    """The first few keys as text to show."""
    return [readable(key) or "" for key in keys[:count]]


def is_less(left: pa.Array, right: pa.Array) -> bool:
    """Whether the first key of `left` is smaller than the first of `right`."""
    return bool(pc.less(left, right)[0].as_py())


def without_nulls(keys: pa.Array, rows: Mask) -> tuple[pa.Array, Mask]:
    """Keep the positions at which a key is not null, in both arrays."""
    return (keys.drop_null(), rows[valid(keys)]) if keys.null_count else (keys, rows)
