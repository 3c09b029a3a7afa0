"""The connected components of a graph. Pure (numpy).

Every node takes the least number of its neighbours. Then all nodes follow these numbers to their
end. This is repeated until both ends of every edge have the same number (Shiloach and Vishkin, "An
O(log n) parallel connectivity algorithm", 1982).
"""

import numpy as np


def components(nodes: int, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of each node the least number of its component.

    Args:
        nodes: how many there are; they have the numbers from 0 on.
        one: of each edge one end.
        other: of each edge the other end.

    """
    found = np.arange(nodes, dtype=np.uint32)
    while len(one):
        low, high = found[one], found[other]
        differ = low != high
        one, other, low, high = one[differ], other[differ], low[differ], high[differ]
        np.minimum.at(found, np.maximum(low, high), np.minimum(low, high))
        while not np.array_equal(following := found[found], found):
            found = following
    return found
