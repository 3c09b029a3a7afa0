"""Where a file that GEM names lies in the output storage. Edge: Azure Blob; `place` is pure.

Whatever GEM answers is untrusted: a storage id stays one label of the host or one container name, a
file name stays one segment of the path.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from azure.storage.blob import ContainerClient

from gem_core.audit.reading.blob_source import open_blob
from gem_core.audit.reading.source import Source
from gem_core.errors import OutputRefused
from gem_core.settings.rules import STORAGE_ID, is_store_name

_STORAGE_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)
_MAX_NAME = 1024
"""Naming and Referencing Containers, Blobs, and Metadata (Azure Storage): a blob name's limit."""


def place(template: str, storage_id: str | None) -> str:
    """A template with the storage id in its place.

    Raises:
        OutputRefused: the template needs an id, and this is none.

    """
    if STORAGE_ID not in template:
        return template
    if not storage_id or not _STORAGE_ID.fullmatch(storage_id):
        raise OutputRefused(f"GEM's storageId {_shown(storage_id)} cannot be a storage id")
    return template.replace(STORAGE_ID, storage_id)


def place_container(template: str, storage_id: str | None) -> str:
    """The name of a container, with the storage id in its place.

    Raises:
        OutputRefused: the template needs an id, and no container can be named so.

    """
    name = place(template, storage_id)
    if STORAGE_ID in template and not is_store_name(name):
        raise OutputRefused(
            f"GEM's storageId {_shown(storage_id)} cannot be a storage id: no container is named "
            f"{_shown(name)}"
        )
    return name


def plain_name(name: str) -> str:
    """A file name that is one segment of a path.

    Raises:
        OutputRefused: it is not.

    """
    if not 0 < len(name) <= _MAX_NAME or name in {".", ".."}:
        raise OutputRefused(f"GEM's file name {_shown(name)} cannot be a file name")
    if "/" in name or "\\" in name or not name.isprintable():
        raise OutputRefused(f"GEM's file name {_shown(name)} is more than a plain file name")
    return name


def _shown(text: str | None) -> str:
    return repr(text[:60] if text else text)


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The files of GEM's storages."""

    service_uri: str
    """May hold {storageId}; empty for a connection string, which knows its own."""
    container: str
    """May hold {storageId}."""
    connect: Callable[[str, str], ContainerClient]
    """From a service address and a container's name."""

    def open(self, storage_id: str | None, name: str) -> Source:
        """A file, pinned to its present version.

        Raises:
            OutputRefused: the names that GEM gave cannot be any; nothing was asked.
            OutputMissing: there is no such file.
            OutputUnreachable: refused, throttled or no answer.

        """
        container = self.connect(
            place(self.service_uri, storage_id), place_container(self.container, storage_id)
        )
        return open_blob(container, plain_name(name))
