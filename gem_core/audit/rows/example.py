"""One row or id that breaks a rule, as a report shows it. Pure."""

from dataclasses import dataclass

EXAMPLES = 5
"""How many examples a report shows for each check. An audit may keep more (`options`)."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row or id that breaks a rule. Holds no more of a row than this."""

    row: int | None = None
    """Its number in the file, from 0; None for an id that the file does not have."""
    id: str | None = None
    """As text; None when it is null or the file has no id column."""
    value: str | None = None
    """The value that breaks the rule, bounded, with escapes (`text.escaped`); None when it is null,
    or when the rule is not about a value."""
    column: str | None = None
    """The column of the value, when values are compared with the input's; None for other rules."""
    input_value: str | None = None
    """The input's value in the same row and column, as `value`; None also when it is null."""
