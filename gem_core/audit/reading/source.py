"""An output or input, pinned to one version; and such a Source over a local file. Edge: a file.

`blob_source` has the other kind. This module imports nothing of Azure.
"""

import os
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from gem_core.errors import OutputChanged, OutputMissing, OutputUnreachable
from gem_core.redaction import redacted


class Source(Protocol):
    """One version of a file: every read returns bytes of that version or raises an error."""

    @property
    def url(self) -> str:
        """Address without its query, and so without a signature."""
        ...

    @property
    def container(self) -> str:
        """Container of the blob; the folder of a local file."""
        ...

    @property
    def name(self) -> str:
        """Name within the container."""
        ...

    @property
    def etag(self) -> str:
        """ETag of the pinned version, without quotes."""
        ...

    @property
    def size_bytes(self) -> int:
        """Length of the pinned version, in bytes."""
        ...

    @property
    def last_modified(self) -> datetime | None:
        """When the pinned version was written."""
        ...

    @property
    def version_id(self) -> str | None:
        """The blob's version id; None without versioning."""
        ...

    @property
    def head(self) -> bytes:
        """The first bytes, which came when the file was opened: none, some or all."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; the range must be within `size_bytes`.

        Several threads may read at the same time.

        Raises:
            OutputChanged: the file was overwritten or deleted since it was opened.
            OutputUnreachable: refused, throttled or no answer.

        """
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one version of a file without reading it; `Source` says what each is."""

    url: str
    container: str
    name: str
    etag: str
    size_bytes: int
    last_modified: datetime | None
    version_id: str | None


def known(of: Source | Known) -> dict[str, Any]:
    """The members of `Known`, by name, as arguments for a subclass."""
    return {each.name: getattr(of, each.name) for each in fields(Known)}


@dataclass(frozen=True, slots=True)
class FileSource:
    """A local file; its size and time of modification are used as its ETag."""

    path: Path
    etag: str
    size_bytes: int
    last_modified: datetime
    version_id: None = None
    head: bytes = b""

    @property
    def url(self) -> str:
        """The file as a URL."""
        return redacted(self.path.absolute().as_uri())

    @property
    def container(self) -> str:
        """The folder."""
        return str(self.path.parent)

    @property
    def name(self) -> str:
        """The file name."""
        return redacted(self.path.name)

    def read(self, offset: int, length: int) -> bytes:
        """Read a range of the pinned version; see `Source.read`."""
        try:
            with self.path.open("rb") as file:
                if _file_etag(os.fstat(file.fileno())) != self.etag:
                    raise OutputChanged(f"{self.path} was replaced while it was read")
                file.seek(offset)
                data = file.read(length)
        except FileNotFoundError:
            raise OutputChanged(f"{self.path} was deleted while it was read") from None
        except OSError as error:
            raise OutputUnreachable(f"{self.path}: {error.strerror}") from None
        if len(data) != length:
            raise OutputChanged(f"{self.path} was cut short while it was read")
        return data


def open_file(path: Path) -> FileSource:
    """Pin the current version of a local file.

    Raises:
        OutputMissing: there is no such file.
        OutputUnreachable: it may not be read, or is a folder.

    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise OutputMissing(f"{path} is not there") from None
    except OSError as error:
        raise OutputUnreachable(f"{path}: {error.strerror}") from None
    if not path.is_file():
        raise OutputUnreachable(f"{path} is not a file")
    return FileSource(
        path=path,
        etag=_file_etag(found),
        size_bytes=found.st_size,
        last_modified=datetime.fromtimestamp(found.st_mtime, UTC),
    )


def _file_etag(found: os.stat_result) -> str:
    return f"{found.st_size}-{found.st_mtime_ns}"
