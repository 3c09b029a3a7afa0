"""Which of the job's ids other ids are, for millions of both. Pure (numpy)."""

import numpy as np

from gem_core.audit.overture.keys import Keys

_BITS_AN_ID = 4
"""The filter has 2**4 bits for each id, so one of 16 foreign ids passes it."""
_LEAST_BITS, _MOST_BITS = 10, 27
_AT_ONCE = 1 << 19
"""Ids that are noted in the filter together, which bounds the memory for it."""


class IdIndex:
    """Distinct ids, sorted by their key. An id's number is its place in this order."""

    def __init__(self, keys: Keys) -> None:
        """`keys` are distinct, and sorted by `mixed`."""
        self.keys = keys
        bits = max(len(keys), 1).bit_length() + _BITS_AN_ID
        bits = min(max(bits, _LEAST_BITS), _MOST_BITS)
        self._shift = np.uint64(64 - bits)
        self._filter = np.zeros(1 << (bits - 3), np.uint8)
        for at in range(0, len(keys), _AT_ONCE):
            slots = keys.mixed[at : at + _AT_ONCE] >> self._shift
            for bit in range(8):
                places = slots[(slots & np.uint64(7)) == bit] >> np.uint64(3)
                self._filter[places] |= np.uint8(1 << bit)

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, keys: Keys) -> tuple[np.ndarray, np.ndarray]:
        """Which of these ids are in the index: their places, and their numbers, by number."""
        slots = keys.mixed >> self._shift
        passes = self._filter[slots >> np.uint64(3)] >> (slots & np.uint64(7)).astype(np.uint8)
        places = np.flatnonzero(passes & 1)
        if not len(places) or not len(self):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        places = places[np.argsort(keys.mixed[places])]
        mixed, low = keys.mixed[places], keys.low[places]
        numbers = np.searchsorted(self.keys.mixed, mixed)
        found = np.zeros(len(places), np.bool_)
        # Different ids with one `mixed` follow one another; there is hardly ever more than one.
        left = np.arange(len(places))
        while len(left):
            left = left[numbers[left] < len(self)]
            left = left[self.keys.mixed[numbers[left]] == mixed[left]]
            equal = self.keys.low[numbers[left]] == low[left]
            found[left[equal]] = True
            left = left[~equal]
            numbers[left] += 1
        return places[found], numbers[found]
