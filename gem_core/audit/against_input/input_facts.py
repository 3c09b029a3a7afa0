"""What is known of the input file. Pure values."""

from dataclasses import dataclass

from gem_core.audit.against_input.columns import ColumnChanges


@dataclass(frozen=True, slots=True)
class InputFacts:
    """What is known of the input file."""

    note: str = ""
    """Why it was not compared, or empty."""
    asked: bool = True
    """Whether a comparison was asked for."""
    name: str | None = None
    rows: int | None = None
    columns: ColumnChanges | None = None
    """None when the footer of the input or of the output could not be read."""
    bytes_read: int = 0
    requests: int = 0
    lost: bool = False
    """Whether its storage failed while it was read, which says nothing about it and may pass."""
