"""The 128 bits of GERS ids: read from their hexadecimal digits, and written. Pure (numpy)."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.text import text_parts
from gem_core.audit.rows.gers import GersFormat

_HYPHENS = (8, 13, 18, 23)
_PLACES = {
    GersFormat.UUID: [place for place in range(36) if place not in _HYPHENS],
    GersFormat.DIGITS: [*range(32)],
}
"""Where the digits of each format are. Each four of them, counted from the first, are adjacent."""
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


class OddIds(ValueError):
    """Texts that do not have the length of an id, or are null."""


def bits_of(texts: pa.StringArray, format_: GersFormat) -> tuple[np.ndarray, np.ndarray]:
    """The bits of ids that all have this format, letters in any case.

    Only the length is tested, not the digits.

    Returns:
        The two halves of the ids, which are integers of 64 bits. The bytes of each are in the order
        of the id.

    Raises:
        OddIds: a text is null, or has another length.

    """
    offsets, data = text_parts(texts)
    count, length = len(texts), format_.length
    if texts.null_count or not np.all(np.diff(offsets) == length):
        raise OddIds(f"an id is null or has not {length} characters")
    if not count:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    quarters = [
        np.ndarray(count, "<u4", data, offset=at, strides=(length,)).astype(np.uint64)
        for at in _PLACES[format_][::4]
    ]
    return _half(quarters[:4]), _half(quarters[4:])


def bytes_of(halves: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The 16 bytes of each id in a row, from the halves as `bits_of` gives them."""
    return np.stack(halves, axis=1).view(np.uint8)


def texts_of(data: np.ndarray, format_: GersFormat) -> pa.StringArray:
    """The ids as Overture writes them, in lower case, from bytes as `bytes_of` gives them."""
    digits = np.empty((len(data), 32), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _DIGITS[data >> 4], _DIGITS[data & 0x0F]
    texts = np.full((len(data), format_.length), ord("-"), np.uint8)
    texts[:, _PLACES[format_]] = digits
    offsets = np.arange(len(data) + 1, dtype=np.int32) * format_.length
    return pa.StringArray.from_buffers(len(data), pa.py_buffer(offsets), pa.py_buffer(texts))


def _half(quarters: Sequence[np.ndarray]) -> np.ndarray:
    """16 digits, four in each array."""
    first, second, third, fourth = quarters
    found: np.ndarray = _bits(first, second) | (_bits(third, fourth) << np.uint64(32))
    return found


def _bits(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Eight hexadecimal digits as 32 bits; the first digits are the lowest byte.

    Each byte of the integers is a character. Steps: the value of each digit, then of each pair of
    digits, then the four pairs moved together.
    """
    found = second << np.uint64(32)
    found |= first
    letters = (found >> np.uint64(6)) & np.uint64(0x0101010101010101)
    found &= np.uint64(0x0F0F0F0F0F0F0F0F)
    found += letters * np.uint64(9)
    found = ((found << np.uint64(4)) | (found >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    found = (found | (found >> np.uint64(8))) & np.uint64(0x0000FFFF0000FFFF)
    return (found | (found >> np.uint64(16))) & np.uint64(0xFFFFFFFF)
