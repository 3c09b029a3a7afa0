"""The range of a column of integers, as a footer gives it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntegerRange:
    """The range of a file's integer ids, as its footer says; a footer may be wrong."""

    least: int
    most: int

    def covering(self, other: "IntegerRange") -> "IntegerRange":
        """The range of both files."""
        return IntegerRange(min(self.least, other.least), max(self.most, other.most))

    @property
    def length(self) -> int:
        """How many numbers there are in it."""
        return self.most - self.least + 1
