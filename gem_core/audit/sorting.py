"""Sorts held ids a range of keys at a time, so that sorting itself takes little memory. Pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

RANGE_BYTES = 8 << 20
"""Of ids sorted at once, about. Sorting takes three times as much beside the ids held."""

_SAMPLE = 1024
"""Ids looked at for each range boundary."""


def sorted_ranges(
    keys: Sequence[pa.Array], matched: Sequence[pa.BooleanArray]
) -> Iterator[tuple[pa.Array, pa.BooleanArray]]:
    """All ids in order, with their flags, range by range; equal ids are in one range."""
    bounds = [None, *_bounds(keys), None]
    for low, high in pairwise(bounds):
        some_keys, some_matched = [], []
        for array, flags in zip(keys, matched, strict=True):
            within = _within(array, low, high)
            some_keys.append(array.filter(within))
            some_matched.append(flags.filter(within))
        if some_keys:
            part, part_matched = pa.concat_arrays(some_keys), pa.concat_arrays(some_matched)
            order = pc.sort_indices(part)
            yield part.take(order), part_matched.take(order)


def _bounds(keys: Sequence[pa.Array]) -> list[pa.Scalar]:
    """Where to cut, from a sample; a bad cut costs memory, never exactness."""
    ranges = -(-sum(array.nbytes for array in keys) // RANGE_BYTES)
    rows = sum(len(array) for array in keys)
    if ranges < 2:  # noqa: PLR2004 - nothing to cut
        return []
    step = max(1, rows // (ranges * _SAMPLE))
    sample = pa.concat_arrays(
        [array.take(pa.array(range(0, len(array), step))) for array in keys]
    ).unique()
    sample = sample.take(pc.sort_indices(sample))
    places = (len(sample) * n // ranges for n in range(1, ranges))
    return [sample[place] for place in sorted(set(places))]


def _within(keys: pa.Array, low: pa.Scalar | None, high: pa.Scalar | None) -> pa.BooleanArray:
    """Above `low`, up to and with `high`; None is no bound."""
    within = pa.repeat(pa.scalar(value=True), len(keys))
    if low is not None:
        within = pc.greater(keys, low)
    if high is not None:
        within = pc.and_(within, pc.less_equal(keys, high))
    return within
