"""GERS ids as pairs of integers, and back. Pure (numpy).

An id has 32 hexadecimal digits, so 128 bits. Its key is `(mixed, low)`: its low half, and both
halves mixed. Two ids are equal exactly when their keys are, since the mixing can be undone; letters
in upper and lower case give the same key. All bits of `mixed` depend on the whole id, so its first
bits spread ids evenly, also those of older releases, which begin alike.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.text import text_parts
from gem_core.audit.rows.gers import GersFormat

_QUARTERS = {GersFormat.UUID: (0, 4, 9, 14, 19, 24, 28, 32), GersFormat.DIGITS: range(0, 32, 4)}
"""Where each group of four digits begins."""

_OF_HIGH, _OF_LOW = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
"""Odd, so that a multiplication can be undone modulo 2**64."""
_UNDO_HIGH = np.uint64(pow(int(_OF_HIGH), -1, 1 << 64))


class OddIds(ValueError):
    """Texts that do not have the length of an id, or are null."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of some ids, in their order."""

    mixed: np.ndarray
    low: np.ndarray

    def __len__(self) -> int:
        return len(self.mixed)

    def at(self, places: np.ndarray) -> "Keys":
        """Those at these places, or where this mask is true."""
        return Keys(self.mixed[places], self.low[places])


def keys_of(texts: pa.StringArray, format_: GersFormat) -> Keys:
    """The keys of ids that all have this format.

    Only the length is tested, not the digits.

    Raises:
        OddIds: a text is null, or has another length.

    """
    offsets, data = text_parts(texts)
    length = format_.length
    if texts.null_count or not np.all(np.diff(offsets) == length):
        raise OddIds(f"an id is null or has not {length} characters")
    count = len(texts)
    if not count:
        return Keys(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    quarters = [
        np.ndarray(count, "<u4", data, offset=at, strides=(length,)).astype(np.uint64)
        for at in _QUARTERS[format_]
    ]
    high, low = (
        _bits(quarters[at], quarters[at + 1])
        | (_bits(quarters[at + 2], quarters[at + 3]) << np.uint64(32))
        for at in (0, 4)
    )
    return Keys((high * _OF_HIGH) ^ (low * _OF_LOW), low)


def texts_of(keys: Keys, format_: GersFormat) -> list[str]:
    """The ids as Overture writes them, in lower case."""
    high = (keys.mixed ^ (keys.low * _OF_LOW)) * _UNDO_HIGH
    pairs = zip(high.tolist(), keys.low.tolist(), strict=True)
    return [_text(a.to_bytes(8, "little") + b.to_bytes(8, "little"), format_) for a, b in pairs]


def _text(data: bytes, format_: GersFormat) -> str:
    digits = data.hex()
    if format_ is GersFormat.DIGITS:
        return digits
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


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
