"""The interface of the state storage: small documents, changed by compare-and-set. Pure.

`blob_documents` implements it with Azure Blob Storage. The tests have a fake in memory, and the
same contract test runs on both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gem_core.errors import DocumentArchived


@dataclass(frozen=True, slots=True)
class Document:
    """A version of a stored document."""

    name: str
    body: bytes
    etag: str
    """Changes with every write."""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """A document in a listing, without its body."""

    name: str
    metadata: Mapping[str, str]
    last_modified: datetime
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing, in the order of names."""

    items: tuple[Listed, ...]
    next_page: str | None
    """Where the listing continues; None after the last page."""


class Documents(Protocol):
    """A container of small documents.

    Every method raises StoreMissing when the container does not exist, and StoreError when storage
    refuses or does not answer. A document in the archive tier can be listed and deleted, and has an
    ETag; what reads or writes it raises DocumentArchived.
    """

    def get(self, name: str) -> Document | None:
        """The document, or None if it does not exist."""
        ...

    def etag(self, name: str) -> str | None:
        """The ETag of the document, or None if it does not exist; its body is not read."""
        ...

    def create(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write a document that must not exist yet; returns its ETag. Raises RecordConflict."""
        ...

    def replace(
        self, name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Overwrite exactly the version `etag`; returns the new ETag. Raises RecordConflict."""
        ...

    def put(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write the document, whether it exists or not; returns the new ETag."""
        ...

    def append(self, name: str, body: bytes) -> None:
        """Add to the end of a log, which is a document of its own kind; `get` reads it.

        A log that does not exist is created. A repeated request may add the same bytes twice.
        """
        ...

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Delete the document, if it exists.

        With an ETag, delete only that version of it, and raise RecordConflict if there is another
        version or none.
        """
        ...

    def url(self, name: str) -> str:
        """The address of a document, without any secret."""
        ...

    def page(self, *, prefix: str = "", size: int = 100, after: str | None = None) -> Page:
        """One page of at most `size` documents; `after` is the `next_page` of the page before."""
        ...

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        """All documents, page after page."""
        ...


def put_anew(documents: Documents, name: str, body: bytes) -> None:
    """Write a document, also in place of one in the archive tier.

    Storage lets such a document be deleted, but not be written over. So for a moment there is none,
    and none is left if the process dies then.
    """
    try:
        documents.put(name, body)
    except DocumentArchived:
        documents.delete(name)
        documents.put(name, body)
