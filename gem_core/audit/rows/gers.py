"""The formats of a GERS id, and which of them an Overture release uses. Pure.

Sources: Overture Maps, release notes of 2025-05-21 and 2025-06-25 (ids become UUIDs, lower case
with hyphens; before, 32 hexadecimal digits).
"""

from datetime import date
from enum import StrEnum

from gem_core.audit.rows.release_name import ReleaseName

GERS_PATTERN = r"\A(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})\z"
"""Either format, letters in any case. \\A and \\z, since $ would let a trailing line feed pass."""

FIRST_OF_UUIDS = date(2025, 6, 1)
"""Releases from this day on have UUIDs. The last one before is 2025-05-21.0, the first one after
2025-06-25.0."""


class GersFormat(StrEnum):
    """How a GERS id is written."""

    UUID = "uuid"
    DIGITS = "digits"
    """32 hexadecimal digits."""

    @property
    def length(self) -> int:
        """In characters."""
        return 36 if self is GersFormat.UUID else 32

    @property
    def number(self) -> int:
        """Of the format, in arrays: 0 or 1."""
        return [*GersFormat].index(self)


NO_RELEASE = "the job has no overtureRelease"


class ReleaseUnreadable(ValueError):
    """A job's Overture release is absent or not the name of a release; the message says which."""


def format_of_release(release: str | None) -> GersFormat:
    """The format of all ids of a release such as "2026-01-21.0".

    Raises:
        ReleaseUnreadable: the release is absent, or is not the name of a release.

    """
    if release is None:
        raise ReleaseUnreadable(NO_RELEASE)
    name = ReleaseName.of(release)
    if name is None:
        raise ReleaseUnreadable(
            f"overtureRelease is {release[:40]!r}, not the name of a release such as 2025-06-25.0"
        )
    return GersFormat.UUID if name.day >= FIRST_OF_UUIDS else GersFormat.DIGITS


def expected_format(release: str | None) -> GersFormat | None:
    """As `format_of_release`, but None when the release cannot be read."""
    try:
        return format_of_release(release)
    except ReleaseUnreadable:
        return None
