"""Opens a file that GEM names in its storage. Edge: Azure Blob; the functions are pure.

What GEM answers is untrusted. A storage id may only be one label of the host name, or one
container. A file name may only be a path within the container.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from azure.storage.blob import ContainerClient

from gem_core.audit.reading.blob_source import first_names, open_blob, url_of
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputRefused
from gem_core.settings.rules import STORAGE_ID, is_store_name

_STORAGE_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_MAX_NAME = 1024
"""Characters of a blob's name (Azure Storage, "Naming and Referencing Containers, Blobs, …")."""


def place(template: str, storage_id: str | None) -> str:
    """A template with the storage id in its place.

    Raises:
        OutputRefused: the template needs a storage id, and this is not one.

    """
    if STORAGE_ID not in template:
        return template
    if not storage_id or not _STORAGE_ID.fullmatch(storage_id):
        raise OutputRefused(f"GEM's storageId {_shown(storage_id)} cannot be a storage id")
    return template.replace(STORAGE_ID, storage_id)


def place_container(template: str, storage_id: str | None) -> str:
    """The name of a container, with the storage id in its place.

    Raises:
        OutputRefused: the template needs a storage id, and the result is no container's name.

    """
    name = place(template, storage_id)
    if STORAGE_ID in template and not is_store_name(name):
        raise OutputRefused(
            f"GEM's storageId {_shown(storage_id)} cannot be a storage id: no container is named "
            f"{_shown(name)}"
        )
    return name


def name_within(name: str) -> str:
    """A file name, with or without folders, that stays within its container.

    A percent sign stands for itself: the SDK encodes it once more. A server on the way that decodes
    twice must not leave the container either.

    Raises:
        OutputRefused: it leads elsewhere, is empty or is too long.

    """
    if not 0 < len(name) <= _MAX_NAME:
        raise OutputRefused(f"GEM's file name {_shown(name)} cannot be a file name")
    segments = unquote(name).split("/")
    leads_out = "\\" in unquote(name) or not {"", ".", ".."}.isdisjoint(segments)
    if leads_out or not name.isprintable():
        raise OutputRefused(
            f"GEM's file name {_shown(name)} is more than a plain file name in a folder"
        )
    return name


def _shown(text: str | None) -> str:
    return repr(text[:60] if text else text)


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The files in GEM's storage."""

    service_uri: str
    """May contain {storageId}; empty for a connection string, which has its own address."""
    container: str
    """May contain {storageId}."""
    connect: Callable[[str, str], ContainerClient]
    """From the address of a blob service and a container's name to the container."""

    def open(self, storage_id: str | None, name: str) -> Source:
        """A file, pinned to its current version.

        Raises:
            OutputRefused: GEM's names are not acceptable; no request was made.
            OutputMissing: there is no such file.
            OutputUnreachable: refused, throttled or no answer.

        """
        return open_blob(self._container(storage_id), name_within(name))

    def address(self, storage_id: str | None, name: str) -> str:
        """The address of a file, whether it exists or not. Makes no request.

        Raises:
            OutputRefused: GEM's names are not acceptable.

        """
        return url_of(self._container(storage_id).get_blob_client(name_within(name)))

    def names(self, storage_id: str | None, prefix: str) -> Sequence[str]:
        """The first names, at most `blob_source.LISTED`, that begin with `prefix`. One request.

        Raises:
            OutputRefused: GEM's names are not acceptable; no request was made.
            OutputUnreachable: refused, throttled or no answer.

        """
        return first_names(self._container(storage_id), name_within(prefix))

    def _container(self, storage_id: str | None) -> ContainerClient:
        return self.connect(
            place(self.service_uri, storage_id), place_container(self.container, storage_id)
        )
