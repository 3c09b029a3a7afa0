"""One offender, as a report shows it. Pure."""

from dataclasses import dataclass

EXAMPLES = 5
"""How many offenders a report shows for each check."""


@dataclass(frozen=True, slots=True)
class Example:
    """One offender. Never holds more of a row than this."""

    row: int | None = None
    """Counted from 0 within the file; None for an id that the file does not have."""
    id: str | None = None
    """As text; None when it is null or the file has no id column."""
