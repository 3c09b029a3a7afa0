"""What we ask of storage for our own state: small documents, changed by compare-and-set. Pure.

`blob_documents` keeps these promises with Azure Blob Storage; the tests have a fake that keeps the
same ones, and one contract test runs over both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Document:
    """One stored document, as it was at one moment."""

    name: str
    body: bytes
    etag: str
    """Changes with every write."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a listing shows it: without its body."""

    name: str
    metadata: Mapping[str, str]
    last_modified: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a listing, in order of name."""

    items: tuple[Listed, ...]
    next_page: str | None
    """Hand it back to go on; None when this was the last page."""


class Documents(Protocol):
    """A container of small documents.

    Every method raises StoreMissing when the container does not exist and StoreError when storage
    refuses or does not answer.
    """

    def get(self, name: str) -> Document | None:
        """The document, or None when there is none."""
        ...

    def create(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write a document that must not exist yet; gives its ETag. Raises RecordConflict."""
        ...

    def replace(
        self, name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Write over exactly the version `etag`; gives the new ETag. Raises RecordConflict."""
        ...

    def put(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write whatever is there; gives the new ETag."""
        ...

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Remove the document; none is fine.

        With an ETag, remove only that version of it. Raises RecordConflict when it is not there.
        """
        ...

    def url(self, name: str) -> str:
        """Where a document lies, without any secret."""
        ...

    def page(self, *, prefix: str = "", size: int = 100, after: str | None = None) -> Page:
        """One page of at most `size` documents; `after` is a former page's `next_page`."""
        ...

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        """All documents, page after page."""
        ...
