"""The distribution of confidences, folded from batches in fixed memory. Pure (numpy)."""

import math
from dataclasses import dataclass, field

import numpy as np

BINS = 10_000
"""Steps of 0.0001 from 0 to 1. Each confidence is counted at its nearest step. So quantiles are off
by at most 0.00005, and a bin of the histogram may include values that are so close below it. In
return the memory is fixed, and 0.7 stored in single precision (0.69999999) lands where it
belongs."""

_BLOCK_ROWS = 16_384
"""Counted together, so that intermediate arrays stay in the cache."""

HISTOGRAM_BINS = 20
QUANTILES = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Confidence:
    """The distribution of valid confidences."""

    count: int
    minimum: float | None
    """Exact; None when the count is 0, as for the next two."""
    mean: float | None
    maximum: float | None
    quantiles: tuple[float, ...]
    """For each of QUANTILES the smallest step that at least that share lies at or below; empty when
    the count is 0."""
    histogram: tuple[int, ...]
    """20 equal bins over 0 to 1; the last one includes 1."""


@dataclass(slots=True)
class ConfidenceFold:
    """Takes confidences that are finite and within 0 to 1."""

    _steps: np.ndarray = field(default_factory=lambda: np.zeros(BINS + 1, np.int64))
    _sums: list[float] = field(default_factory=list)
    _minimum: float = math.inf
    _maximum: float = -math.inf

    def add(self, values: np.ndarray) -> None:
        """Fold one batch of float64."""
        if not len(values):
            return
        self._minimum = min(self._minimum, float(values.min()))
        self._maximum = max(self._maximum, float(values.max()))
        self._sums.append(float(values.sum()))
        for start in range(0, len(values), _BLOCK_ROWS):
            nearest = np.rint(values[start : start + _BLOCK_ROWS] * float(BINS)).astype(np.intp)
            self._steps += np.bincount(nearest, minlength=BINS + 1)

    def confidence(self) -> Confidence:
        """The distribution over all batches."""
        at_or_below = np.cumsum(self._steps)
        count = int(at_or_below[-1])
        bins = np.minimum(np.arange(BINS + 1) * HISTOGRAM_BINS // BINS, HISTOGRAM_BINS - 1)
        histogram = np.zeros(HISTOGRAM_BINS, np.int64)
        np.add.at(histogram, bins, self._steps)
        quantiles = np.searchsorted(at_or_below, np.array(QUANTILES) * count) / BINS
        return Confidence(
            count=count,
            minimum=self._minimum if count else None,
            mean=math.fsum(self._sums) / count if count else None,
            maximum=self._maximum if count else None,
            quantiles=tuple(quantiles.tolist()) if count else (),
            histogram=tuple(histogram.tolist()),
        )
