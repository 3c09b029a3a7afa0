"""Ranges of bytes in a file. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ByteRange:
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """In bytes."""
        return self.end - self.start


type RowGroup = Sequence[ByteRange]
"""The needed column chunks of one row group; they are decoded side by side."""
