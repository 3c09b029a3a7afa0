"""Overture's changelog in Azure Blob. Edge: Azure Blob.

A list of blobs has their sizes and ETags, so no file is opened before its ranges are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from azure.storage.blob import BlobProperties, ContainerClient

from gem_core.audit.overture.listing import MAX_FILES
from gem_core.audit.reading.blob_source import BlobSource, listed_blob
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputUnreachable
from gem_core.storage.errors import opening_errors


@dataclass(frozen=True, slots=True)
class BlobStorage:
    """The containers of Overture, or copies of them."""

    connect: Callable[[str], ContainerClient]
    """From the name of a container to the container."""

    def files(self, container: str, prefix: str) -> Sequence[Source]:
        """See `listing.Storage.files`."""
        client = self.connect(container)
        address = f"{client.url.partition('?')[0]}/{prefix}"
        found: list[BlobSource] = []
        with opening_errors(address):
            for blob in client.list_blobs(name_starts_with=prefix):
                found.append(_source(client, blob))
                if len(found) > MAX_FILES:
                    raise OutputUnreachable(f"{address}: more than {MAX_FILES} blobs")
        return found

    def folders(self, container: str) -> Sequence[str]:
        """See `listing.Storage.folders`."""
        client = self.connect(container)
        with opening_errors(client.url.partition("?")[0]):
            found = [str(each.name) for each in client.walk_blobs(delimiter="/")]
        return [name.removesuffix("/") for name in found if name.endswith("/")]


def _source(client: ContainerClient, blob: BlobProperties) -> BlobSource:
    return listed_blob(
        client,
        str(blob.name),
        etag=str(blob.etag),
        size_bytes=int(blob.size),
        last_modified=blob.last_modified,
    )
