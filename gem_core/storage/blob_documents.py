"""Small documents in Azure Blob Storage. Edge: azure.storage.blob.

Conditions: "Specifying conditional headers for Blob service operations" (Azure Storage REST).
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, cast

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.paging import PageIterator
from azure.storage.blob import BlobProperties, ContainerClient, ContentSettings

from gem_core.errors import PageUnknown, RecordConflict, StoreError, StoreMissing, StoreRefused
from gem_core.storage.documents import Document, Listed, Page
from gem_core.storage.errors import code_of, is_refusal

_CONFLICTS = {"BlobAlreadyExists", "ConditionNotMet", "BlobNotFound"}
"""Another writer was first. Other codes come with the same statuses (a blob that somebody leased, a
container that is being deleted), and trying again with a fresh ETag does not help against those."""
_LISTING_PAGE = 5000
"""The service's own limit for a page (List Blobs, maxresults)."""


class BlobDocuments:
    """A container of small JSON documents. Keeps the promises of `Documents`."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container
        self._errors = _OurErrors(container.container_name)

    def get(self, name: str) -> Document | None:
        """The document, or None when there is none."""
        with self._errors:
            try:
                download = self._container.download_blob(name)
                return Document(name, download.readall(), _bare(download.properties.etag))
            except ResourceNotFoundError as error:
                if code_of(error) == "BlobNotFound":
                    return None
                raise

    def create(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write a document that must not exist yet; gives its ETag."""
        return self._write(name, body, metadata, overwrite=False)

    def replace(
        self, name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Write over exactly the version `etag`; gives the new ETag."""
        return self._write(name, body, metadata, overwrite=True, **_only(etag))

    def put(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write whatever is there; gives the new ETag."""
        return self._write(name, body, metadata, overwrite=True)

    def _write(
        self,
        name: str,
        body: bytes,
        metadata: Mapping[str, str] | None,
        **conditions: Any,  # noqa: ANN401 - handed on
    ) -> str:
        with self._errors:
            answer = self._container.get_blob_client(name).upload_blob(
                body,
                metadata=dict(metadata or {}),
                content_settings=ContentSettings(content_type=_content_type(name)),
                **conditions,
            )
            return _bare(answer["etag"])

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Remove the document (none is fine), or exactly the version `etag`."""
        with self._errors:
            try:
                self._container.delete_blob(name, **_only(etag))
            except ResourceNotFoundError as error:
                if etag or code_of(error) != "BlobNotFound":
                    raise

    def url(self, name: str) -> str:
        """Where a document lies, without any secret."""
        return self._container.get_blob_client(name).url.partition("?")[0]

    def page(self, *, prefix: str = "", size: int = 100, after: str | None = None) -> Page:
        """One page of at most `size` documents."""
        pages = cast(
            "PageIterator[BlobProperties]",
            self._container.list_blobs(
                name_starts_with=prefix or None, include=["metadata"], results_per_page=size
            ).by_page(after),
        )
        with self._errors:
            try:
                items = tuple(_listed(blob) for blob in next(pages))
            except HttpResponseError as error:
                # All else that is asked here is of our own making.
                if after and error.status_code == HTTPStatus.BAD_REQUEST:
                    raise PageUnknown("storage knows no such page of the listing") from error
                raise
            return Page(items, pages.continuation_token or None)

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        """All documents, page after page."""
        after: str | None = None
        while True:
            page = self.page(prefix=prefix, size=_LISTING_PAGE, after=after)
            yield from page.items
            if not (after := page.next_page):
                return


class _OurErrors:
    """Storage's errors as ours, one for each way on."""

    def __init__(self, container: str) -> None:
        self._container = container

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AzureError):
            raise _ours(self._container, error) from error


def _ours(container: str, error: AzureError) -> StoreError:
    """The SDK redacts what it prints, so the texts hold no key."""
    if not isinstance(error, HttpResponseError):
        return StoreError(f"container {container!r}: no answer from storage: {error}")
    code = code_of(error)
    if code in _CONFLICTS:
        return RecordConflict(f"container {container!r}: another writer was first")
    if is_refusal(error):
        return StoreRefused(
            f"container {container!r}: storage refused ({code or type(error).__name__}): check the "
            "identity or key of GEM_STATE, its role, and the storage firewall"
        )
    if code == "ContainerNotFound":
        return StoreMissing(
            f"container {container!r} does not exist in GEM_STATE: create it "
            "(the infrastructure does so)"
        )
    if code == "ContainerBeingDeleted":
        return StoreMissing(
            f"container {container!r} is being deleted in GEM_STATE: create it when it is gone, "
            "which takes half a minute or more"
        )
    return StoreError(f"container {container!r}: storage answered {code or error.status_code}")


def _content_type(name: str) -> str:
    """So that a browser shows a page, and does not save it."""
    return "text/html; charset=utf-8" if name.endswith(".html") else "application/json"


def _listed(blob: BlobProperties) -> Listed:
    return Listed(blob.name, blob.metadata or {}, blob.last_modified, _bare(blob.etag))


def _only(etag: str | None) -> dict[str, Any]:
    """The condition that exactly one version is meant; none without an ETag."""
    if etag is None:
        return {}
    return {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}


def _bare(etag: str) -> str:
    """Without quotes: some answers of the SDK have them and some do not."""
    return etag.strip('"')
