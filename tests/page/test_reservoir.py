"""The sample is uniform, bounded, and the same however the stream is cut."""

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gem_core.page.reservoir import Reservoir


def sample(size: int, rows: int, cuts: list[int], seed: int = 7) -> list[int]:
    reservoir = Reservoir(size, seed=seed)
    ends = sorted({*(cut % (rows + 1) for cut in cuts), rows})
    for start, end in zip([0, *ends], ends, strict=False):
        reservoir.add(pa.array(range(start, end), pa.int64()))
    return reservoir.rows()


@given(st.integers(1, 20), st.integers(0, 500), st.lists(st.integers(0, 500)), st.integers(0, 1000))
def test_cuts_change_nothing(size: int, rows: int, cuts: list[int], seed: int) -> None:
    whole = sample(size, rows, [], seed)
    assert sample(size, rows, cuts, seed) == whole
    assert len(set(whole)) == len(whole) == min(size, rows)
    assert set(whole) <= set(range(rows))


def test_every_row_is_as_likely() -> None:
    """4,000 fixed seeds draw 5 of 50: 400 times each is expected, with a deviation of 19."""
    drawn = Counter(row for seed in range(4_000) for row in sample(5, 50, [], seed))
    assert sum(drawn.values()) == 20_000
    assert all(abs(drawn[row] - 400) < 5 * 19 for row in range(50))
