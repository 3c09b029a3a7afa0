"""Exit codes of the commands. Pure."""

from collections.abc import Iterable

DONE, NOT_SO, COULD_NOT = 0, 1, 2
"""Success; a negative result, such as an unknown job; an error, so there is no result."""


def worst(codes: Iterable[int]) -> int:
    """The highest exit code of several actions. Consumes the iterable, so all of them run."""
    return max(codes, default=DONE)
