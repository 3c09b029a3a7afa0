"""What was found out about an output's GERS ids in Overture. Pure values."""

from dataclasses import dataclass

from gem_core.audit.rows.offenders import Offenders

NONE = Offenders()
MARKED_ROWS = 200
"""Rows that a page's map shows, at most, of each kind."""


@dataclass(frozen=True, slots=True)
class OvertureFacts:
    """The rows of an output by what Overture says of their GERS ids.

    Only matched rows with an id in the format of the release are looked up.
    """

    problem: str = ""
    """Why nothing was looked up; empty when something was."""
    may_pass: bool = False
    """Whether another look-up may find more."""
    release: str = ""
    """Whose changelog was read."""
    rows: int = 0
    """That were looked up."""
    ids: int = 0
    """Distinct ids of these rows."""
    removed: Offenders = NONE
    """The id was removed by this release."""
    outside: Offenders = NONE
    """By the registry, the id is older or newer than the release."""
    unknown: Offenders = NONE
    """No part of the release has the id: all of it was read."""
    other_type: Offenders = NONE
    """The id is alive, and not that of a segment."""
    elsewhere: Offenders = NONE
    """The segment is not where the road is."""
    without_place: int = 0
    """Rows whose segment is alive, and whose road or segment has no readable place."""
    open_rows: int = 0
    """Rows whose id was neither found nor proven to be absent."""
    how_far: str = ""
    """How far the search for these went, and why not further."""
    registry_note: str = ""
    """Why the registry was not asked; empty when it was, or need not be."""
    reading: str = ""
    """What was read of Overture, in words."""
    marked: tuple[int, ...] = ()
    """Some of the rows whose id is dead, of another type, or elsewhere; ascending."""

    @property
    def incomplete(self) -> str:
        """Why another look-up may find more; empty when it would not."""
        return (self.problem or self.how_far) if self.may_pass else ""

    @property
    def dead(self) -> int:
        """Rows whose id is not in the release."""
        return self.removed.count + self.outside.count + self.unknown.count
