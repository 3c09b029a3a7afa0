"""The name of an Overture release. Pure.

Source: Overture Maps, "Release calendar": names are `yyyy-mm-dd.x`, where x counts patches. Early
releases had names such as `2024-06-13-beta.0`.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Self

_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:-(?:alpha|beta))?(?:\.([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True, order=True)
class ReleaseName:
    """Releases are in the order of their dates, then of their patches."""

    day: date
    patch: int = 0

    def __str__(self) -> str:
        """As folders are named."""
        return f"{self.day}.{self.patch}"

    @classmethod
    def of(cls, text: str | None) -> Self | None:
        """Read a name, also an early one or one without a patch; None of any other text."""
        match = _NAME.fullmatch(text or "")
        try:
            return cls(date.fromisoformat(match[1]), int(match[2] or 0)) if match else None
        except ValueError:
            return None

    @classmethod
    def of_folder(cls, text: str | None) -> Self | None:
        """As `of`, but None unless a folder may have this name. Addresses have no other texts."""
        found = cls.of(text)
        return found if str(found) == text else None
