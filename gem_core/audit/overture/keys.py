"""GERS ids as pairs of integers, and back. Pure (numpy).

The key of an id is `(mixed, low)`: the low half of its 128 bits, and both halves mixed. Two ids are
equal exactly when their keys are, since the mixing can be undone. All bits of `mixed` depend on the
whole id, so its first bits spread ids evenly, also those of older releases, which begin alike.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gem_core.audit.rows import gers_bits
from gem_core.audit.rows.gers import GersFormat

_OF_HIGH, _OF_LOW = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
"""Odd, so that a multiplication can be undone modulo 2**64."""
_UNDO_HIGH = np.uint64(pow(int(_OF_HIGH), -1, 1 << 64))


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
    """The keys of ids that all have this format; conditions and errors as in `bits_of`."""
    high, low = gers_bits.bits_of(texts, format_)
    return Keys((high * _OF_HIGH) ^ (low * _OF_LOW), low)


def texts_of(keys: Keys, format_: GersFormat) -> pa.StringArray:
    """The ids as Overture writes them, in lower case."""
    high = (keys.mixed ^ (keys.low * _OF_LOW)) * _UNDO_HIGH
    return gers_bits.texts_of(gers_bits.bytes_of((high, keys.low)), format_)
