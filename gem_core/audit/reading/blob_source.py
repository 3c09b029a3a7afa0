"""An output or input in Azure Blob, pinned to one version. Edge: Azure Blob."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.pipeline import PipelineResponse
from azure.storage.blob import (
    BlobClient,
    ContainerClient,
    StorageStreamDownloader,
)

from gem_core.audit.reading.source import Known
from gem_core.errors import OutputUnreachable, RangeNotSatisfiable
from gem_core.storage.errors import opening_errors, reading_errors

_TIMEOUTS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}
"""Seconds for one try. A minute without a byte means that the connection is dead; the SDK's retry
policy then tries again."""

HEAD_BYTES = 1 << 20
"""Fetched when a blob is opened: then a small file takes one request. At 60 MB/s these bytes take
less time than a request."""

LISTED = 200
"""Names in one page of a list."""


@dataclass(frozen=True, slots=True)
class BlobSource(Known):
    """A blob, every read of which is one GET of a range with If-Match."""

    head: bytes = field(repr=False)
    _client: BlobClient

    def read(self, offset: int, length: int) -> bytes:
        """Read a range of the pinned version; see `Source.read`."""
        body = _Body()
        with reading_errors(self.url):
            _download(self._client, offset, length, pinned_to=self.etag).readinto(body)
        if len(body.data) != length:
            raise OutputUnreachable(
                f"{self.url}: {len(body.data)} of {length} bytes came at offset {offset}; try again"
            )
        return body.data


def _download(
    client: BlobClient, offset: int, length: int, *, pinned_to: str | None = None
) -> StorageStreamDownloader[bytes]:
    """Request a range of the bytes as they are stored, whatever the blob's Content-Encoding says.

    Raises:
        OutputUnreachable: the answer is another range or version.

    """
    # The services compare the ETag in its quoted form.
    etag = None if pinned_to is None else f'"{pinned_to}"'
    condition: dict[str, Any] = {}
    if etag:
        condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    try:
        return client.download_blob(
            offset,
            length,
            max_concurrency=1,
            decompress=False,
            headers={"Accept-Encoding": "identity"},
            raw_response_hook=partial(_check_answer, offset=offset, etag=etag),
            **condition,
            **_TIMEOUTS,
        )
    except (ValueError, IndexError):  # the SDK raises both for a Content-Range of another form
        raise OutputUnreachable(
            f"{url_of(client)}: the answer is not the range or version that was asked for: a "
            "server on the way may ignore ranges"
        ) from None


def _check_answer(response: PipelineResponse[Any, Any], *, offset: int, etag: str | None) -> None:
    """Close the connection instead of reading bytes that nobody asked for. Raises ValueError."""
    answer = response.http_response
    is_range = str(answer.headers.get("Content-Range")).startswith(f"bytes {offset}-")
    is_version = etag in {None, answer.headers.get("ETag")}
    if answer.status_code in _WITH_BYTES and not (is_range and is_version):
        answer.internal_response.close()
        raise ValueError


_WITH_BYTES = {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}


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
    url = url_of(client)
    try:
        with opening_errors(url):
            download = _download(client, 0, HEAD_BYTES)
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


def url_of(client: BlobClient) -> str:
    """The address of a blob without a signature."""
    return urlsplit(client.url)._replace(query="", fragment="").geturl()


def first_names(container: ContainerClient, prefix: str) -> Sequence[str]:
    """The first names of blobs that begin with `prefix`: at most `LISTED`, in one request.

    Raises:
        OutputUnreachable: refused, throttled, no answer, or no such container.

    """
    url = f"{urlsplit(container.url)._replace(query='', fragment='').geturl()}, its list"
    with opening_errors(url):
        listed = container.list_blob_names(
            name_starts_with=prefix, results_per_page=LISTED, **_TIMEOUTS
        )
        return tuple(next(listed.by_page(), ()))


def listed_blob(
    container: ContainerClient,
    name: str,
    *,
    etag: str,
    size_bytes: int,
    last_modified: datetime | None,
) -> BlobSource:
    """The version of a blob that a list of blobs has named. No request."""
    client = container.get_blob_client(name)
    return BlobSource(
        url=url_of(client),
        container=container.container_name,
        name=name,
        etag=etag.strip('"'),
        size_bytes=size_bytes,
        last_modified=last_modified,
        version_id=None,
        head=b"",
        _client=client,
    )
