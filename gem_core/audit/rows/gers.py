"""The forms of a GERS id, and which of them an Overture release has. Pure.

Sources: Overture Maps, release notes of 2025-05-21 and 2025-06-25 (ids become UUIDs, lower case
with hyphens; before, 32 hexadecimal digits), and release calendar (names are `yyyy-mm-dd.x`).
"""

import re
from datetime import date
from enum import StrEnum

GERS_FORM = r"\A(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})\z"
"""Either form, letters in any case. \\A and \\z, since $ would let a trailing line feed pass."""

FIRST_OF_UUIDS = date(2025, 6, 1)
"""Releases from this day on have UUIDs. The last one before is 2025-05-21.0, the first one after
2025-06-25.0."""

_RELEASE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:(?:-(?:alpha|beta))?\.[0-9]{1,4})?")


class GersForm(StrEnum):
    """How a GERS id is written."""

    UUID = "uuid"
    DIGITS = "digits"
    """32 hexadecimal ones."""

    @property
    def length(self) -> int:
        """In characters."""
        return 36 if self is GersForm.UUID else 32


class ReleaseUnreadable(ValueError):
    """A job's Overture release is absent, or is no name of one; the message says which."""


def form_of_release(release: str | None) -> GersForm:
    """Tell the form of all ids of a release, such as "2026-01-21.0".

    Raises:
        ReleaseUnreadable: as the class says.

    """
    if release is None:
        raise ReleaseUnreadable("the job has no overtureRelease")
    named = _RELEASE.fullmatch(release)
    try:
        day = date.fromisoformat(named[1]) if named else None
    except ValueError:
        day = None
    if day is None:
        raise ReleaseUnreadable(
            f"overtureRelease is {release[:40]!r}, not the name of a release such as 2025-06-25.0"
        )
    return GersForm.UUID if day >= FIRST_OF_UUIDS else GersForm.DIGITS


def expected_form(release: str | None) -> GersForm | None:
    """As `form_of_release`; None when it cannot be told."""
    try:
        return form_of_release(release)
    except ReleaseUnreadable:
        return None
