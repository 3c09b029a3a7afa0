"""The distribution of confidences, in fixed memory and to a stated precision."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.audit.rows.confidence import QUANTILES, Confidence, ConfidenceFold

values = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def folded(*batches: list[float]) -> Confidence:
    fold = ConfidenceFold()
    for batch in batches:
        fold.add(np.array(batch, np.float64))
    return fold.confidence()


@given(values, values)
def test_figures_are_those_of_a_sorted_list(first: list[float], second: list[float]) -> None:
    found, everything = folded(first, second), sorted(first + second)
    assert found.count == sum(found.histogram) == len(everything)
    assert (found.minimum, found.maximum) == (everything[0], everything[-1])
    assert found.mean == pytest.approx(math.fsum(everything) / len(everything))
    for share, quantile in zip(QUANTILES, found.quantiles, strict=True):
        exact = everything[math.ceil(share * len(everything)) - 1]
        assert quantile == pytest.approx(exact, abs=0.0000501)


def test_edges_fall_into_the_bin_that_they_begin() -> None:
    found = folded([0.0, 0.05, 0.7, 0.95, 1.0], [])
    assert [n for n, times in enumerate(found.histogram) if times] == [0, 1, 14, 19]
    assert found.histogram[19] == 2


def test_single_precision_falls_where_double_does() -> None:
    fold = ConfidenceFold()
    fold.add(np.array([n / 20 for n in range(20)], np.float32).astype(np.float64))
    assert fold.confidence().histogram == (1,) * 20


def test_nothing_has_no_distribution() -> None:
    assert folded([]) == Confidence(0, None, None, None, (), (0,) * 20)
