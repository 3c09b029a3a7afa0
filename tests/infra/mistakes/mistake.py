"""One seeded mistake."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake that could be made in a file, and the check that must catch it."""

    file: str
    old: str
    new: str
    caught_by: str
