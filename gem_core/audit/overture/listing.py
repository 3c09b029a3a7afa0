"""Finds the files of a release in a storage. Edge: the storage that it is given, or a folder.

The listing is a source too. It is pinned to what was listed at first, so whoever reads it learns
whether the files are still the same.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from gem_core.audit.overture.release import (
    BEFORE,
    LIVE,
    NoRelease,
    Part,
    Release,
    release_names,
)
from gem_core.audit.reading.source import Source, open_file
from gem_core.audit.rows.release_name import ReleaseName
from gem_core.errors import OutputChanged, OutputError, OutputMissing, OutputUnreachable

CHANGELOG, REGISTRY = "changelog", "registry"
"""Names of containers, or of folders."""
_SEGMENTS = "theme=transportation/type=segment/"
_CHANGE = "change_type="
_ENDING = ".parquet"
MAX_FILES = 5_000
"""Of one release, with the next one and the registry: they are named in one message to the child.
Overture has some hundred."""


class Storage(Protocol):
    """Where Overture's changelog lies."""

    def files(self, container: str, prefix: str) -> Sequence[Source]:
        """All files whose names begin with the prefix, each pinned to its version.

        Raises:
            OutputUnreachable: refused, throttled or no answer, or the list is not whole.
            OutputMissing: there is no such container.

        """
        ...

    def folders(self, container: str) -> Sequence[str]:
        """The names before the first slash. Raises as `files` does."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A copy of Overture's containers in a folder."""

    path: Path

    def files(self, container: str, prefix: str) -> Sequence[Source]:
        """See `Storage.files`."""
        root = self.path / container / prefix
        try:
            if not self.path.is_dir():
                raise OutputMissing(f"there is no folder {self.path}")
            found = sorted(path for path in root.rglob("*") if path.is_file())
        except OSError as error:
            raise OutputUnreachable(f"{root}: {error.strerror}") from None
        return [open_file(path) for path in found]

    def folders(self, container: str) -> Sequence[str]:
        """See `Storage.folders`."""
        try:
            return [path.name for path in (self.path / container).iterdir() if path.is_dir()]
        except OSError as error:
            raise OutputUnreachable(f"{self.path / container}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class Listing:
    """The list of a release's files as a source; see `reading.source.Source`."""

    url: str
    etag: str
    _list: Callable[[], Sequence[Source]] = field(repr=False)
    container: str = CHANGELOG
    name: str = "listing"
    size_bytes: int = 1
    last_modified: None = None
    version_id: None = None
    head: bytes = b""

    def read(self, offset: int, length: int) -> bytes:
        """List again. Raises OutputChanged if anything is different."""
        if _digest(self._list()) != self.etag:
            raise OutputChanged(f"{self.url}: files were added, removed or replaced meanwhile")
        return bytes(self.size_bytes)[offset : offset + length]


def find_release(storage: Storage, wanted: str | None) -> Release | NoRelease:
    """The changelog of a job's release, with the registry if there is one. Never raises."""
    names = [*release_names(wanted)]
    if not names:
        shown = "no Overture release" if wanted is None else f"the release {wanted[:40]!r}"
        return NoRelease(f"the job has {shown}, not a name such as 2026-01-21.0", may_pass=False)
    try:
        for name in names:
            if found := _segments(storage, name):
                return _release(storage, name, found, "" if name == names[0] else names[0])
    except OutputError as error:
        return NoRelease(f"Overture's changelog cannot be listed: {error}", may_pass=True)
    except Exception as error:  # noqa: BLE001 - it must never hold a manifest back
        # The words of another library may hold an address with its signature.
        reason = f"Overture's changelog cannot be listed: {type(error).__name__}"
        return NoRelease(reason, may_pass=True)
    return NoRelease(f"there is no changelog of release {names[0]} or its date", may_pass=True)


def newest(storage: Storage) -> str | None:
    """The newest release that has a changelog. Raises OutputError."""
    found = max(_releases(storage), default=None)
    return str(found) if found else None


def _releases(storage: Storage) -> list[ReleaseName]:
    found = map(ReleaseName.of_folder, storage.folders(CHANGELOG))
    return [name for name in found if name]


def _segments(storage: Storage, name: str) -> Sequence[Source]:
    return _parquet(storage.files(CHANGELOG, f"{name}/{_SEGMENTS}"))


def _parquet(found: Sequence[Source]) -> Sequence[Source]:
    """Without markers of folders."""
    return [each for each in found if each.name.endswith(_ENDING)]


def _release(
    storage: Storage, name: str, found: Sequence[Source], stands_in_for: str
) -> Release | NoRelease:
    parts = [_part(source) for source in found]
    if Part.UNCHANGED not in parts:
        return NoRelease(f"changelog {name} has no files of change_type=unchanged", may_pass=True)
    registry, note = _registry(storage)
    following, next_name, unproven = _following(storage, name)
    if len(found) + len(following) + len(registry) > MAX_FILES:
        return NoRelease(f"changelog {name} has more than {MAX_FILES} files", may_pass=False)
    kept = [(part, source) for part, source in zip(parts, found, strict=True) if part]
    listing = Listing(
        unquote(found[0].url).partition(_CHANGE)[0],
        _digest(found),
        lambda: _segments(storage, name),
    )
    return Release(
        name,
        (
            *(part for part, _ in kept),
            *[Part.NEXT] * len(following),
            *[Part.REGISTRY] * len(registry),
        ),
        (*(source for _, source in kept), *following, *registry),
        listing,
        note,
        next_name,
        _not_read(found) or unproven,
        stands_in_for,
    )


def _part(source: Source) -> Part | None:
    """By the folder; None of a kind of change that nobody knows yet."""
    word = _change(source)
    return Part(word) if word in {*LIVE, Part.REMOVED} else None


def _change(source: Source) -> str:
    """The kind of change, by the folder; empty if the file is in no such folder."""
    _, _, rest = unquote(source.url).partition(_SEGMENTS + _CHANGE)
    return rest.partition("/")[0]


def _not_read(found: Sequence[Source]) -> str:
    """Which files are of no known part; empty if all are of one."""
    words = sorted({_change(source)[:40] for source in found if _part(source) is None})
    if "" in words:
        return "it has files without a change_type"
    named = ", ".join(map(_CHANGE.__add__, words[:5]))
    return f"it has files of {named}, which are not read" if words else ""


def _following(storage: Storage, name: str) -> tuple[Sequence[Source], str, str]:
    """The next changelog's files that account for this release, its name, or why there are none."""
    try:
        own = ReleaseName.of(name)
        for each in (str(each) for each in sorted(_releases(storage)) if own and each > own):
            if files := [source for source in _segments(storage, each) if _part(source) in BEFORE]:
                return files, each, ""
    except OutputError as error:
        return (), "", f"the changelog after it cannot be listed: {error}"
    return (), "", f"there is no changelog after {name}"


def _registry(storage: Storage) -> tuple[Sequence[Source], str]:
    """The files of the registry. It was withdrawn once, so the look-up works without it."""
    try:
        found = _parquet(storage.files(REGISTRY, ""))
    except OutputError as error:
        return (), f"the registry cannot be listed: {error}"
    return found, "" if found else "there is no registry"


def _digest(found: Sequence[Source]) -> str:
    lines = sorted(f"{each.url} {each.etag} {each.size_bytes}" for each in found)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
