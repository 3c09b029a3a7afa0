"""Finds values in an array that is in order. Pure.

Hash tables of pyarrow do not look whether they got memory: `is_in` and `index_in` crash when it is
short. A search reports it.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def positions_in(ordered: pa.Array, values: pa.Array) -> pa.Array:
    """Where each value is in an array of one type with it; null where it is null, or is not there.

    Args:
        ordered: ascending, without null.
        values: in any order.

    Raises:
        MemoryError: there was too little.

    """
    if not len(ordered):
        return pa.nulls(len(values), pa.uint64())
    last = np.uint64(len(ordered) - 1)
    places = pc.min_element_wise(pc.search_sorted(ordered, values), last)
    return pc.if_else(pc.equal(ordered.take(places), values), places, None)
