"""Exit codes of the commands. Pure."""

from collections.abc import Iterable

DONE, NOT_SO, COULD_NOT = 0, 1, 2
"""Success; a negative result, such as an unknown job; an error, so there is no result. argparse
uses 2 for wrong arguments too."""

VALID, INVALID, UNKNOWN, NO_PAGE = 0, 1, 2, 3
"""Of `audit`; the report is printed with each. UNKNOWN: the file could not be judged, or it is
valid but could not be compared with the input as requested. NO_PAGE: the page was not written."""

TIMED_OUT = 3
"""Of `wait`: a job was not delivered in time."""

INTERRUPTED, TERMINATED = 130, 143
"""The user stopped the command (SIGINT); the system did (SIGTERM). Shells use the same codes."""


def worst(codes: Iterable[int]) -> int:
    """The highest exit code of several actions. Consumes the iterable, so all of them run."""
    return max(codes, default=DONE)
