"""Small documents in Azure Blob Storage. Edge: azure.storage.blob.

Conditions: "Specifying conditional headers for Blob service operations" (Azure Storage REST).
"""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any, cast
from uuid import uuid4

from azure.core import MatchConditions
from azure.core.paging import PageIterator
from azure.storage.blob import BlobClient, BlobProperties, ContainerClient, ContentSettings

from gem_core.errors import RecordConflict, RecordMissing
from gem_core.storage.documents import Document, Listed, Page
from gem_core.storage.errors import container_errors

WRITE_ID = "write"
"""The metadata with the id of the write that made this version of a document."""
_LISTING_PAGE = 5000
"""The service's limit for a page (List Blobs, maxresults)."""


class BlobDocuments:
    """A container of small JSON documents; see `Documents`."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._errors = partial(container_errors, container.container_name)

    def get(self, name: str) -> Document | None:
        """The document, or None if it does not exist."""
        with suppress(RecordMissing), self._errors():
            download = self._container.download_blob(name)
            found = download.properties
            return Document(name, download.readall(), _bare(found.etag), _shown(found.metadata))
        return None

    def etag(self, name: str) -> str | None:
        """The ETag of the document, or None if it does not exist; its body is not read.

        An empty document needs one request here, but two in `get`. Storage has no first bytes of
        it, so the SDK asks again for the whole document.
        """
        with suppress(RecordMissing), self._errors():
            return _bare(self._container.get_blob_client(name).get_blob_properties().etag)
        return None

    def create(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write a document that must not exist yet; returns its ETag."""
        return self._write(name, body, metadata, overwrite=False)

    def replace(
        self, name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Overwrite exactly the version `etag`; returns the new ETag."""
        return self._write(name, body, metadata, overwrite=True, **_only(etag))

    def put(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write the document, whether it exists or not; returns the new ETag."""
        return self._write(name, body, metadata, overwrite=True)

    def _write(
        self,
        name: str,
        body: bytes,
        metadata: Mapping[str, str] | None,
        **conditions: Any,  # noqa: ANN401 - options of the SDK
    ) -> str:
        """Write a document; returns its ETag.

        When an answer is lost, the SDK repeats the write. If the first try was done, the second one
        conflicts with it. So each write has an id: by it the write is recognised as this one, and
        the result is that of the first try.
        """
        blob, write_id = self._container.get_blob_client(name), uuid4().hex
        repeats: list[object] = []
        try:
            with self._errors():
                answer = blob.upload_blob(
                    body,
                    metadata={**(metadata or {}), WRITE_ID: write_id},
                    content_settings=ContentSettings(content_type=_content_type(name)),
                    retry_hook=lambda **repeat: repeats.append(repeat),
                    **conditions,
                )
                return _bare(answer["etag"])
        except RecordConflict:
            etag = self._etag_of_write(blob, write_id) if repeats else None
            if etag is None:
                raise
            return etag

    def _etag_of_write(self, blob: BlobClient, write_id: str) -> str | None:
        """The ETag of the document if it was written last by the write with this id."""
        with suppress(RecordMissing), self._errors():
            found = blob.get_blob_properties()
            if (found.metadata or {}).get(WRITE_ID) == write_id:
                return _bare(found.etag)
        return None

    def append(self, name: str, body: bytes) -> None:
        """Add to the end of an append blob. Azure allows 50,000 blocks in each."""
        blob = self._container.get_blob_client(name)
        try:
            with self._errors():
                blob.append_block(body)
        except RecordMissing:
            with suppress(RecordConflict), self._errors():
                blob.create_append_blob(
                    content_settings=ContentSettings(content_type=_content_type(name)),
                    match_condition=MatchConditions.IfMissing,
                )
            with self._errors():
                blob.append_block(body)

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Delete the document, if it exists; with `etag`, exactly that version of it."""
        may_be_missing = nullcontext() if etag else suppress(RecordMissing)
        with may_be_missing, self._errors():
            self._container.delete_blob(name, **_only(etag))

    def url(self, name: str) -> str:
        """The address of a document, without any secret."""
        return self._container.get_blob_client(name).url.partition("?")[0]

    def page(self, *, prefix: str = "", size: int = 100, after: str | None = None) -> Page:
        """One page of at most `size` documents."""
        pages = cast(
            "PageIterator[BlobProperties]",
            self._container.list_blobs(
                name_starts_with=prefix or None, include=["metadata"], results_per_page=size
            ).by_page(after),
        )
        with self._errors(resumed=bool(after)):
            items = tuple(map(_listed, next(pages)))
            return Page(items, pages.continuation_token or None)

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        """All documents, page after page."""
        after: str | None = None
        while True:
            page = self.page(prefix=prefix, size=_LISTING_PAGE, after=after)
            yield from page.items
            if not (after := page.next_page):
                return


def _content_type(name: str) -> str:
    """A browser then shows a page and does not download it."""
    return "text/html; charset=utf-8" if name.endswith(".html") else "application/json"


def _listed(blob: BlobProperties) -> Listed:
    return Listed(blob.name, _shown(blob.metadata), blob.last_modified, _bare(blob.etag))


def _shown(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The metadata without that of this module."""
    return {name: word for name, word in (metadata or {}).items() if name != WRITE_ID}


def _only(etag: str | None) -> dict[str, Any]:
    """The condition that the blob has this ETag; no condition for None."""
    if etag is None:
        return {}
    return {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}


def _bare(etag: str) -> str:
    """The ETag without quotes. The SDK returns some ETags with quotes and some without."""
    return etag.strip('"')
