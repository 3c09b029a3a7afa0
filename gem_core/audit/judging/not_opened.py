"""Why an output was not opened. Pure values, which need no Parquet library."""

from dataclasses import dataclass
from enum import StrEnum


class Obstacle(StrEnum):
    """Why an output was not opened, in the words of a report."""

    NAMES = "the names that GEM gives cannot be the names of a file"
    ENDED_EARLY = "no audit of the output came to its end"
    CONTRACT = "only a newer version of the app can read GEM's answer"
    CHANGED = "the output changed each time while it was read"


@dataclass(frozen=True, slots=True)
class NotOpened:
    """An output that was not opened."""

    obstacle: Obstacle
    detail: str
    """What happened, in words; never empty."""
