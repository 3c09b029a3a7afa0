"""An output or input in Azure Blob, pinned to one version. Edge: Azure Blob."""

import io
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.storage.blob import BlobClient, BlobProperties, ContainerClient

from gem_core.errors import OutputChanged, OutputMissing, OutputUnreachable
from gem_core.storage.errors import code_of, status_of

_TIMEOUTS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}
"""Seconds for one try. A minute without a byte means a dead
connection; the SDK's own retry policy tries again."""


HEAD_BYTES = 4
"""Of a blob, fetched when it is opened: as many as tell whether it is Parquet."""


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
