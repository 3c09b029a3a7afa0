"""Tells most foreign ids from the job's, for millions of both. Pure (numpy)."""

import numpy as np

_BITS_AN_ID = 4
"""The filter has 16 to 32 bits for each id, so about one of 24 foreign ids passes it."""
_LEAST_BITS, _MOST_BITS = 10, 27


class IdFilter:
    """A set of ids, by the first bits of `mixed`. It passes its own, and some others."""

    def __init__(self, ids: int) -> None:
        """Take at most 16 MiB; with more ids than `ids`, more foreign ones pass."""
        bits = min(max(ids.bit_length() + _BITS_AN_ID, _LEAST_BITS), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        self._bits = np.zeros(1 << (bits - 3), np.uint8)

    def add(self, mixed: np.ndarray) -> None:
        """Add ids by this part of their keys."""
        slots = mixed >> self._shift
        for bit in range(8):  # `np.bitwise_or.at` takes a third longer
            places = slots[(slots & np.uint64(7)) == bit] >> np.uint64(3)
            self._bits[places] |= np.uint8(1 << bit)

    def passing(self, mixed: np.ndarray) -> np.ndarray:
        """The places of those that pass."""
        slots = mixed >> self._shift
        passes = self._bits[slots >> np.uint64(3)] >> (slots & np.uint64(7)).astype(np.uint8)
        return np.flatnonzero(passes & 1)
