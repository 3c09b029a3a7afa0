"""How far an audit is, for whoever waits for it. Pure."""

from collections.abc import Callable
from enum import StrEnum


class Pass(StrEnum):
    """What is being done to the rows; the words of a progress bar."""

    CHECKED = "checked"
    COMPARED = "compared"
    """With the input's, column by column."""


type OnRows = Callable[[Pass, int, int], object]
"""Takes the rows of the output that are done in this pass, and all of them as the footer says."""
