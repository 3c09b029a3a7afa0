"""Views of Arrow buffers as numpy arrays; nothing is copied. Pure."""

import numpy as np
import pyarrow as pa

type Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
"""One truth value for each row."""


def true_at(array: pa.Array) -> Mask:
    """Which rows hold true; null counts as false."""
    values = _bits(array, 1)
    return values & valid(array) if array.null_count else values


def valid(array: pa.Array) -> Mask:
    """Which rows are not null."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    if pa.types.is_null(array.type):
        return np.zeros(len(array), np.bool_)
    return _bits(array, 0)


def valid_exactly_at(array: pa.Array, rows: Mask) -> bool:
    """Whether just these rows are not null, and all others are; compared as bits."""
    count = len(array)
    if array.null_count != count - np.count_nonzero(rows):
        return False
    if array.null_count in {0, count}:
        return True
    if array.offset % 8:
        return np.array_equal(valid(array), rows)
    whole, start = count // 8, array.offset // 8
    validity = np.frombuffer(array.buffers()[0], np.uint8, whole, start)
    if (validity != np.packbits(rows[: whole * 8], bitorder="little")).any():
        return False
    # Bits of the last byte beyond the last row may be anything.
    return whole * 8 == count or np.array_equal(valid(array[whole * 8 :]), rows[whole * 8 :])


def numbers(array: pa.Array) -> np.ndarray:
    """The values of a column of numbers. At nulls they have no meaning."""
    kind = np.dtype(array.type.to_pandas_dtype())
    buffer = array.buffers()[-1]  # a column without a type has no other
    if not len(array) or buffer is None:
        return np.zeros(len(array), kind)
    return np.frombuffer(buffer, kind)[array.offset : array.offset + len(array)]


def _bits(array: pa.Array, buffer: int) -> Mask:
    first, skipped = divmod(array.offset, 8)
    count = skipped + len(array)
    packed = np.frombuffer(array.buffers()[buffer], np.uint8)[first : first - (-count // 8)]
    return np.unpackbits(packed, count=count, bitorder="little")[skipped:].view(np.bool_)
