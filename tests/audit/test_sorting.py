"""Held ids come out in order whatever the ranges are, and none is lost."""

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit import sorting
from gem_core.audit.sorting import sorted_ranges


@pytest.fixture(scope="module", autouse=True)
def small_ranges() -> object:
    """A range of a few ids, so that a small list has many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "RANGE_BYTES", 64)
        patch.setattr(sorting, "_SAMPLE", 2)
        yield


lists = st.lists(st.lists(st.integers(-9, 30) | st.integers(-(2**63), 2**63 - 1), min_size=1))


@pytest.mark.parametrize("as_text", [False, True])
@given(batches=lists)
def test_all_ids_come_in_order_with_their_flags(
    batches: Sequence[list[int]], *, as_text: bool
) -> None:
    def shown(number: int) -> int | str:
        return str(number) if as_text else number

    parts = sorted_ranges(
        [pa.array([shown(n) for n in batch]) for batch in batches],
        [pa.array([n % 2 == 0 for n in batch]) for batch in batches],
    )
    found = [
        row
        for some, matched in parts
        for row in zip(some.to_pylist(), matched.to_pylist(), strict=True)
    ]
    assert found == sorted((shown(n), n % 2 == 0) for batch in batches for n in batch)


def test_ranges_are_sorted_one_at_a_time() -> None:
    keys = [pa.array(range(n, 1000, 7)) for n in range(7)]
    parts = list(sorted_ranges(keys, [pa.array([True] * len(array)) for array in keys]))
    assert len(parts) > 50
    assert max(len(part) for part, _ in parts) < 100
