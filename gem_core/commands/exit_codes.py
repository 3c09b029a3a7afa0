"""Exit codes of the commands. Pure."""

from collections.abc import Iterable

DONE, NOT_SO, COULD_NOT = 0, 1, 2
"""Done; the thing that was asked about is not so, or not there; nobody knows."""


def worst(codes: Iterable[int]) -> int:
    """The code of several things that were asked for at once; goes through all of them."""
    return max(codes, default=DONE)
