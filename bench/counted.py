"""Documents in memory, and documents whose operations are counted; for measurements."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from gem_core.errors import RecordConflict
from gem_core.storage.documents import Document, Documents, Listed, Page

LISTING_PAGE = 5000
"""Number of documents in a page of a listing, as in blob storage."""


class MemoryDocuments:
    """Implements `Documents` in memory, for one process."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Document, Listed]] = {}
        self._versions = itertools.count()
        self._lock = Lock()

    def get(self, name: str) -> Document | None:
        """The document, or None if it does not exist."""
        held = self._held.get(name)
        return held[0] if held else None

    def etag(self, name: str) -> str | None:
        """The ETag of the document, or None if it does not exist."""
        held = self._held.get(name)
        return held[0].etag if held else None

    def create(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write a new document. Raises RecordConflict if it exists."""
        with self._lock:
            if name in self._held:
                raise RecordConflict(name)
            return self._write(name, body, metadata)

    def replace(
        self, name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Replace one version. Raises RecordConflict if there is another."""
        with self._lock:
            if name not in self._held or self._held[name][0].etag != etag:
                raise RecordConflict(name)
            return self._write(name, body, metadata)

    def put(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        """Write the document, whether it exists or not."""
        with self._lock:
            return self._write(name, body, metadata)

    def _write(self, name: str, body: bytes, metadata: Mapping[str, str] | None) -> str:
        etag = str(next(self._versions))
        listed = Listed(name, dict(metadata or {}), datetime.now(UTC), etag)
        self._held[name] = Document(name, body, etag), listed
        return etag

    def append(self, name: str, body: bytes) -> None:
        """Add to the end of the document."""
        with self._lock:
            held = self._held.get(name)
            self._write(name, (held[0].body if held else b"") + body, None)

    def delete(self, name: str, *, etag: str | None = None) -> None:
        """Delete the document."""
        with self._lock:
            if etag is not None and (name not in self._held or self._held[name][0].etag != etag):
                raise RecordConflict(name)
            self._held.pop(name, None)

    def url(self, name: str) -> str:
        """An address for the document."""
        return f"memory:{name}"

    def page(self, *, prefix: str = "", size: int = 100, after: str | None = None) -> Page:
        """One page of the listing."""
        with self._lock:
            names = sorted(n for n in self._held if n.startswith(prefix) and n > (after or ""))
            items = tuple(self._held[name][1] for name in names[:size])
        return Page(items, items[-1].name if len(names) > size else None)

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        """The complete listing."""
        yield from self.page(prefix=prefix, size=len(self._held) + 1).items


class Counted:
    """Documents whose requests are counted by kind. A listing counts one request for each page."""

    def __init__(self, documents: Documents, counts: Counter[str]) -> None:
        self._documents = documents
        self._counts = counts

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        """The complete listing. Its requests are counted at the end."""
        items = list(self._documents.every(prefix=prefix))
        self._counts["list"] += 1 + max(0, len(items) - 1) // LISTING_PAGE
        return iter(items)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._documents, method)

        def counted(*args: object, **options: object) -> Any:  # noqa: ANN401 - whatever it gives
            self._counts["read" if method in {"get", "etag"} else "write"] += 1
            return call(*args, **options)

        return counted
