"""A sorted run of ids, taken chunk by chunk while runs are merged. Pure."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa


class SortedRun[A: (np.ndarray, pa.Array)]:
    """What is at hand of one run, in order."""

    def __init__(self, chunks: Iterator[A]) -> None:
        """All chunks of the run, none of them empty."""
        self._chunks: Iterator[A] = chunks
        self.chunk: A = next(chunks)

    def fill(self) -> bool:
        """Have ids at hand; False when the run has ended."""
        if not len(self.chunk):
            self.chunk = next(self._chunks, self.chunk)
        return bool(len(self.chunk))

    def take(self, count: int) -> A:
        """Remove and give the first ids at hand."""
        taken: A = self.chunk[:count]
        self.chunk = self.chunk[count:]
        return taken
