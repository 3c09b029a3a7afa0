"""An output or input in Azure Blob, pinned to one version. Edge: Azure Blob."""

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.storage.blob import BlobClient, ContainerClient

from gem_core.errors import OutputUnreachable, RangeNotSatisfiable
from gem_core.storage.errors import opening_errors, reading_errors

_TIMEOUTS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}
"""Seconds for one try. A minute without a byte means that the connection is dead; the SDK's retry
policy then tries again."""

HEAD_BYTES = 1 << 20
"""Fetched when a blob is opened: then a small file takes one request. At 60 MB/s these bytes take
less time than a request."""


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
        with reading_errors(self.url):
            # The services compare the ETag in its quoted form.
            self._client.download_blob(
                offset,
                length,
                etag=f'"{self.etag}"',
                match_condition=MatchConditions.IfNotModified,
                max_concurrency=1,
                **_TIMEOUTS,
            ).readinto(body)
        if len(body.data) != length:
            raise OutputUnreachable(
                f"{self.url}: {len(body.data)} of {length} bytes came at offset {offset}; try again"
            )
        return body.data


class _Body(io.BytesIO):
    """Keeps the bytes object of one answer as the SDK made it; `readall` would copy it."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def write(self, data: bytes, /) -> int:  # type: ignore[override] # the SDK writes bytes
        """Keep the object itself: the SDK writes it at once."""
        self.data += data
        return len(data)


def open_blob(container: ContainerClient, name: str) -> BlobSource:
    """Pin the current version of a blob. One request, which also fetches the first `HEAD_BYTES`.

    Raises:
        OutputMissing: there is no such blob.
        OutputUnreachable: refused, throttled, no answer, or no such container, which is a wrong
            setting rather than a missing output.

    """
    client = container.get_blob_client(name)
    url = urlsplit(client.url)._replace(query="", fragment="").geturl()
    try:
        with opening_errors(url):
            download = client.download_blob(0, HEAD_BYTES, max_concurrency=1, **_TIMEOUTS)
            found, head = download.properties, download.readall()
    except RangeNotSatisfiable:  # an empty blob has no first bytes
        with opening_errors(url):
            found, head = client.get_blob_properties(**_TIMEOUTS), b""
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
