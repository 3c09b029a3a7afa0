"""The changelog of one Overture release: its parts, its files, and its name. Pure.

Source: Overture Maps, "GERS Changelog" (the four kinds of change, and their folders) and "Release
calendar" (names are `yyyy-mm-dd.x`, where x counts patches).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gem_core.audit.reading.source import Source

_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,2})", re.ASCII)
_PATCHES = 5
"""Other patches of a date that are looked for when the job's has no changelog."""


class Part(StrEnum):
    """A part of a release's changelog, or the registry of all ids."""

    UNCHANGED = "unchanged"
    ADDED = "added"
    CHANGED = "data_changed"
    REMOVED = "removed"
    REGISTRY = "registry"


LIVE = (Part.UNCHANGED, Part.ADDED, Part.CHANGED)
"""Together they have every id of the release."""


@dataclass(frozen=True, slots=True)
class Release:
    """The files of one release's segments, each pinned to one version."""

    name: str
    """Of the changelog; another patch of the same date may be named by the job."""
    parts: tuple[Part, ...]
    """Of each file."""
    files: tuple[Source, ...]
    listing: Source
    """Can be read as long as the files have the same names, sizes and ETags."""
    registry_note: str = ""
    """Why there are no files of the registry; empty when there are."""

    def of(self, *parts: Part) -> list[tuple[Part, Source]]:
        """The files of these parts."""
        pairs = zip(self.parts, self.files, strict=True)
        return [(part, source) for part, source in pairs if part in parts]

    @property
    def day(self) -> str:
        """The date in its name."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class NoRelease:
    """Why there is no changelog to look into."""

    reason: str
    may_pass: bool
    """Whether another try may find one."""


def release_names(text: str | None) -> Iterator[str]:
    """The names under which a job's release may lie: its own, then other patches of its date.

    None if the job has no release, or text that is not the name of one: nothing else ever becomes
    part of an address.
    """
    match = _NAME.fullmatch(text or "")
    if match is None:
        return
    try:
        date.fromisoformat(match[1])
    except ValueError:
        return
    yield match[0]
    yield from (f"{match[1]}.{patch}" for patch in range(_PATCHES) if patch != int(match[2]))
