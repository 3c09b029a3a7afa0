"""Overture's changelog in Azure Blob. Edge: Azure Blob.

A list of blobs has their sizes and ETags, so no file is opened before its ranges are read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields
from typing import override

from azure.storage.blob import BlobProperties, ContainerClient

from gem_core.audit.overture.listing import MAX_FILES
from gem_core.audit.overture.patience import Patience
from gem_core.audit.reading.blob_source import BlobSource, listed_blob
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputUnreachable
from gem_core.storage.errors import opening_errors


@dataclass(frozen=True, slots=True)
class BlobStorage:
    """The containers of Overture, or copies of them."""

    connect: Callable[[str], ContainerClient]
    """From the name of a container to the container."""
    patience: Patience | None = None
    """None waits as long as it takes."""

    def files(self, container: str, prefix: str) -> Sequence[Source]:
        """See `listing.Storage.files`."""
        client = self.connect(container)
        address = f"{client.url.partition('?')[0]}/{prefix}"
        found: list[BlobSource] = []
        with opening_errors(address):
            pages = client.list_blobs(name_starts_with=prefix).by_page()
            while (page := self._next(pages)) is not None:
                found += [self._source(client, blob) for blob in page]
                if any(not each.name.startswith(prefix) for each in found):
                    raise OutputUnreachable(f"{address}: the list has other names")
                if len(found) > MAX_FILES:
                    raise OutputUnreachable(f"{address}: more than {MAX_FILES} blobs")
        return found

    def folders(self, container: str) -> Sequence[str]:
        """See `listing.Storage.folders`."""
        client = self.connect(container)
        with opening_errors(client.url.partition("?")[0]):
            found = [str(each.name) for each in client.walk_blobs(delimiter="/")]
        return [name.removesuffix("/") for name in found if name.endswith("/")]

    def _next(self, pages: Iterator[Iterable[BlobProperties]]) -> list[BlobProperties] | None:
        with self.patience.request() if self.patience else nullcontext():
            page = next(pages, None)
            return None if page is None else list(page)

    def _source(self, client: ContainerClient, blob: BlobProperties) -> BlobSource:
        found = listed_blob(
            client,
            str(blob.name),
            etag=str(blob.etag),
            size_bytes=int(blob.size),
            last_modified=blob.last_modified,
        )
        if self.patience is None:
            return found
        members = {each.name: getattr(found, each.name) for each in fields(found)}
        return _PatientBlob(**members, patience=self.patience)


@dataclass(frozen=True, slots=True)
class _PatientBlob(BlobSource):
    patience: Patience

    @override
    def read(self, offset: int, length: int) -> bytes:
        with self.patience.request(length):
            return BlobSource.read(self, offset, length)
