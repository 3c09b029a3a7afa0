"""The progress of an audit. Pure."""

from collections.abc import Callable
from enum import StrEnum


class Pass(StrEnum):
    """One pass over the rows; the words of a progress bar."""

    CHECKED = "checked"
    COMPARED = "compared"
    """Column by column with the input's."""


type OnRows = Callable[[Pass, int, int], object]
"""Takes the pass, the rows of the output that are done in it, and all rows as the footer states."""
