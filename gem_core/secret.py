"""A value that is never shown. Pure."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never shown: not in logs, tracebacks, records or messages."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The value, for the one call that needs it."""
        return self._value

    def __str__(self) -> str:
        return "***"
