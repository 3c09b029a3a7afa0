"""Finds the changelog of an Overture release. Edge: Azure Blob, or a folder."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gem_core.errors import RequestError
from gem_core.redaction import remember
from gem_core.settings.secrets import parts_of
from gem_core.settings.store_address import StoreAddress, read_store_address
from gem_core.storage.clients import anonymous_blob_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from gem_core.audit.overture.listing import Storage
    from gem_core.audit.overture.release import NoRelease, Release


def release_finder(
    address: StoreAddress | None,
) -> "Callable[[str | None], Release | NoRelease] | None":
    """A function from a job's release to its changelog; None when ids are not looked up."""
    if address is None:
        return None
    from gem_core.audit.overture.listing import find_release

    return partial(find_release, blob_storage(address))


def blob_storage(address: StoreAddress) -> "Storage":
    """The storage at an address. No request."""
    from gem_core.audit.overture.blob_storage import BlobStorage

    service = anonymous_blob_service(address.url, address.signature)
    return BlobStorage(service.get_container_client)


def overture_lines(address: StoreAddress | None) -> list[str]:
    """Lines about the newest changelog at an address. Raises OutputError."""
    from gem_core.audit.overture.described import describe

    return describe(blob_storage(address), None) if address else []


def storage_of(text: str, option: str) -> "Storage":
    """The storage that a person names: an address, or a folder.

    Raises:
        RequestError: it is neither.

    """
    from gem_core.audit.overture.listing import Folder

    if "://" not in text:
        if not Path(text).is_dir():
            raise RequestError(f"{option}: there is no folder {text}")
        return Folder(Path(text))
    remember(*parts_of(text))
    try:
        return blob_storage(read_store_address(text))
    except ValueError as error:
        raise RequestError(f"{option} {error}") from None
