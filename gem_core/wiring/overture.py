"""Finds the changelog of an Overture release. Edge: Azure Blob, or a folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from gem_core.errors import OutputUnreachable, RequestError
from gem_core.redaction import remember
from gem_core.settings.secrets import parts_of
from gem_core.settings.store_address import StoreAddress, read_store_address
from gem_core.storage.clients import overture_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from gem_core.audit.overture.listing import Storage
    from gem_core.audit.overture.release import NoRelease, Release

ANSWER_SECONDS = 30.0
"""Longest time for a whole answer while a delivery waits."""


def release_finder(
    address: StoreAddress | None,
) -> "Callable[[str | None], Release | NoRelease] | None":
    """A function from a job's release to its changelog; None when ids are not looked up.

    It stops asking a storage that is slow, for a while, and says so.
    """
    if address is None:
        return None
    from gem_core.audit.overture.blob_storage import BlobStorage
    from gem_core.audit.overture.listing import find_release
    from gem_core.audit.overture.patience import Patience
    from gem_core.audit.overture.release import NoRelease

    patience = Patience()
    service = overture_service(address, ANSWER_SECONDS)
    storage = BlobStorage(service.get_container_client, patience)

    def find(wanted: str | None) -> "Release | NoRelease":
        try:
            patience.begin()
        except OutputUnreachable as error:
            return NoRelease(str(error), may_pass=True)
        return find_release(storage, wanted)

    return find


def blob_storage(address: StoreAddress) -> "Storage":
    """The storage at an address. No request."""
    from gem_core.audit.overture.blob_storage import BlobStorage

    return BlobStorage(overture_service(address).get_container_client)


def overture_lines(address: StoreAddress | None) -> list[str]:
    """Lines about the newest changelog at an address. Raises OutputError."""
    from gem_core.audit.overture.described import describe

    if address is None:
        return []
    return [_way(address), *describe(blob_storage(address), None)]


def storage_of(text: str, option: str) -> "Storage":
    """The storage that a person names: an address, or a folder. Raises RequestError: neither."""
    return named_storage(text, option)[0]


def named_storage(text: str, option: str) -> "tuple[Storage, str]":
    """The same, and a line about how it is read.

    Raises:
        RequestError: it is neither an address nor a folder.

    """
    from gem_core.audit.overture.listing import Folder

    if "://" not in text:
        if not Path(text).is_dir():
            raise RequestError(f"{option}: there is no folder {text}")
        return Folder(Path(text)), f"{text} is read as a folder"
    remember(*parts_of(text))
    try:
        address = read_store_address(text)
    except ValueError as error:
        raise RequestError(f"{option} {error}") from None
    return blob_storage(address), _way(address)


def _way(address: StoreAddress) -> str:
    return f"{address.url} is read {address.way}"
