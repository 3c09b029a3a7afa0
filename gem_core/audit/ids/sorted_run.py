"""A sorted run of ids, read chunk by chunk while runs are merged. Pure."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa


class SortedRun[A: (np.ndarray, pa.Array)]:
    """The chunk of a run that is next in order."""

    def __init__(self, chunks: Iterator[A]) -> None:
        """All chunks of the run, none of them empty."""
        self._chunks: Iterator[A] = chunks
        self.chunk: A = next(chunks)

    def fill(self) -> bool:
        """Fetch the next chunk when this one is used up; False at the end of the run."""
        if not len(self.chunk):
            self.chunk = next(self._chunks, self.chunk)
        return bool(len(self.chunk))

    def take(self, count: int) -> A:
        """Remove the first ids of the chunk, and return them."""
        taken: A = self.chunk[:count]
        self.chunk = self.chunk[count:]
        return taken
