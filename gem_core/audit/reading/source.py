"""Where an output or input is read from, pinned to one version. Edge: Azure Blob, a local file."""

import io
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn, Protocol
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.storage.blob import BlobClient, BlobProperties, ContainerClient

from gem_core.audit.reading.address import without_signature
from gem_core.errors import OutputChanged, OutputMissing, OutputUnreachable
from gem_core.storage.errors import code_of, status_of

_TIMEOUTS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}
"""Seconds for one try. A minute without a byte means a dead
connection; the SDK's own retry policy tries again."""


HEAD_BYTES = 4
"""Of a blob, fetched when it is opened: as many as tell whether it is Parquet."""


class Source(Protocol):
    """One version of a file. Whatever is read comes from that version, or an error says why not."""

    @property
    def url(self) -> str:
        """Address without a query, so never with a signature."""
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
        """Length of the pinned version."""
        ...

    @property
    def last_modified(self) -> datetime | None:
        """When the pinned version was written."""
        ...

    @property
    def version_id(self) -> str | None:
        """Of a container with versioning; otherwise None."""
        ...

    @property
    def head(self) -> bytes:
        """The first bytes, as many as came when the file was opened; may be none."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; the range lies within `size_bytes`.

        Threads may read at once.

        Raises:
            OutputChanged: the file was overwritten or deleted since it was opened.
            OutputUnreachable: refused, throttled or no answer.

        """
        ...


@dataclass(frozen=True, slots=True)
class BlobSource:
    """A blob, every read of which is one GET of a range with If-Match."""

    url: str
    container: str
    name: str
    etag: str
    size_bytes: int
    last_modified: datetime | None
    version_id: str | None
    head: bytes = field(repr=False)
    _client: BlobClient

    def read(self, offset: int, length: int) -> bytes:
        """Read a range of the pinned version; see `Source.read`."""
        body = _Body()
        try:
            # The services compare the ETag in its quoted form.
            self._client.download_blob(
                offset,
                length,
                etag=f'"{self.etag}"',
                match_condition=MatchConditions.IfNotModified,
                max_concurrency=1,
                **_TIMEOUTS,
            ).readinto(body)
        except AzureError as error:
            if status_of(error) in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND}:
                raise OutputChanged(f"{self.url} was replaced or deleted while read") from None
            _unreachable(error, self.url)
        if len(body.data) != length:
            raise OutputUnreachable(
                f"{self.url}: {len(body.data)} of {length} bytes came at offset {offset}; try again"
            )
        return body.data


class _Body(io.BytesIO):
    """Takes over what the SDK holds of one answer; its `readall` would make another copy."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: bytes, /) -> int:  # type: ignore[override] # the SDK writes bytes
        """Keep the data itself: it comes in one."""
        self.data += data
        return len(data)


def open_blob(container: ContainerClient, name: str) -> BlobSource:
    """Pin the current version of a blob. One request, which brings the first bytes too.

    Raises:
        OutputMissing: there is no such blob.
        OutputUnreachable: refused, throttled, no answer, or no such container, which is a wrong
            setting rather than a missing output.

    """
    client = container.get_blob_client(name)
    url = _without_query(client.url)
    try:
        found, head = _opened(client)
    except AzureError as error:
        if status_of(error) == HTTPStatus.NOT_FOUND and code_of(error) != "ContainerNotFound":
            raise OutputMissing(f"{url} is not there") from None
        _unreachable(error, url)
    return BlobSource(
        url=url,
        container=container.container_name,
        name=name,
        etag=str(found.etag).strip('"'),
        size_bytes=int((found.content_range or f"/{found.size}").rpartition("/")[2]),
        last_modified=found.last_modified,
        version_id=found.version_id,
        head=head,
        _client=client,
    )


def _opened(client: BlobClient) -> tuple[BlobProperties, bytes]:
    try:
        download = client.download_blob(0, HEAD_BYTES, max_concurrency=1, **_TIMEOUTS)
    except HttpResponseError as error:
        if error.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return client.get_blob_properties(**_TIMEOUTS), b""  # an empty blob has no first bytes
    return download.properties, download.readall()


def _unreachable(error: AzureError, url: str) -> NoReturn:
    """Say what went wrong and what to do.

    The SDK's own text is left out: for a refused signature it repeats what was signed.
    """
    status, code = status_of(error), code_of(error)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        advice = "refused: grant Storage Blob Data Reader, and check the storage firewall"
    elif isinstance(error, ClientAuthenticationError):
        advice = "no credential was accepted: check the identity (of GEM_OUTPUT, or az login)"
    elif code == "ContainerNotFound":
        advice = "no such container: check the address (GEM_OUTPUT, GEM_OUTPUT_CONTAINER)"
    elif code == "BlobArchived":
        advice = "in the archive tier: rehydrate it"
    elif status is None:
        advice = "no answer: check the address and the network"
    else:
        advice = "the storage cannot serve it now"
    said = " ".join(str(part) for part in (status, code, type(error).__name__) if part)
    raise OutputUnreachable(f"{url}: {advice} ({said})") from None


def _without_query(url: str) -> str:
    return urlsplit(url)._replace(query="", fragment="").geturl()


@dataclass(frozen=True, slots=True)
class FileSource:
    """A local file; its size and modification time stand in for the ETag."""

    path: Path
    etag: str
    size_bytes: int
    last_modified: datetime
    version_id: None = None
    head: bytes = b""

    @property
    def url(self) -> str:
        """The file as a URL."""
        return without_signature(self.path.absolute().as_uri())

    @property
    def container(self) -> str:
        """The folder."""
        return str(self.path.parent)

    @property
    def name(self) -> str:
        """The file name."""
        return without_signature(self.path.name)

    def read(self, offset: int, length: int) -> bytes:
        """Read a range of the pinned version; see `Source.read`."""
        try:
            with self.path.open("rb") as file:
                if _file_etag(os.fstat(file.fileno())) != self.etag:
                    raise OutputChanged(f"{self.path} was replaced while read")
                file.seek(offset)
                data = file.read(length)
        except FileNotFoundError:
            raise OutputChanged(f"{self.path} was deleted while read") from None
        except OSError as error:
            raise OutputUnreachable(f"{self.path}: {error.strerror}") from None
        if len(data) != length:
            raise OutputChanged(f"{self.path} was cut short while read")
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
