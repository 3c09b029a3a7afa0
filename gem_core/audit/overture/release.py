"""The changelog of one Overture release: its parts, its files, and its name. Pure.

Source: Overture Maps, "GERS Changelog": the four kinds of change, and their folders.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from gem_core.audit.reading.source import Source
from gem_core.audit.rows.release_name import ReleaseName

_PATCHES = 5
"""Other patches of a date that are looked for when the job's has no changelog."""


class Part(StrEnum):
    """A part of a release's changelog, the next changelog, or the registry of all ids."""

    UNCHANGED = "unchanged"
    ADDED = "added"
    CHANGED = "data_changed"
    REMOVED = "removed"
    NEXT = "next changelog"
    """Its files that account for the segments of this release."""
    REGISTRY = "registry"


LIVE = (Part.UNCHANGED, Part.ADDED, Part.CHANGED)
"""Together they have every id of the release."""
BEFORE = (Part.UNCHANGED, Part.CHANGED, Part.REMOVED)
"""Together they have every id of the release before."""


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
    next_name: str = ""
    """Of the next changelog; empty when there is none."""
    unproven: str = ""
    """Why an id that no file has may be in the release nevertheless; empty when the next changelog
    can prove that it is not."""
    stands_in_for: str = ""
    """The job's release, when it has no changelog and this one is another patch of its date."""

    def of(self, *parts: Part) -> list[tuple[Part, Source]]:
        """The files of these parts."""
        pairs = zip(self.parts, self.files, strict=True)
        return [(part, source) for part, source in pairs if part in parts]


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
    if name := ReleaseName.of_folder(text):
        yield str(name)
        patches = (patch for patch in range(_PATCHES) if patch != name.patch)
        yield from (str(replace(name, patch=patch)) for patch in patches)
