"""Opens the blob at an address that a person typed: for the command `audit`. Edge."""

from typing import TYPE_CHECKING

from gem_core.audit.reading.address import BlobAddress
from gem_core.errors import OutputRefused
from gem_core.storage.clients import blob_service, blob_service_at
from gem_core.wiring.environment import output_connection

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

    from gem_core.audit.reading.blob_source import BlobSource


def open_address(address: BlobAddress) -> "BlobSource":
    """The blob, pinned to its current version.

    Raises:
        OutputError: there is no such blob, it may not be read, or there is no answer.
        SettingsError: GEM_OUTPUT is needed for it, and is missing or invalid.

    """
    from gem_core.audit.reading.blob_source import open_blob

    container = account_of(address).get_container_client(address.container)
    return open_blob(container, address.name)


def account_of(address: BlobAddress) -> "BlobServiceClient":
    """The account: by the signature in the address or Azure's default chain; an emulator's by
    GEM_OUTPUT.
    """
    if address.signature or not address.local:
        return blob_service_at(address.account, address.signature)
    output = output_connection()
    account = blob_service(output, output.blob_service_uri or "")
    if account.url.rstrip("/") != address.account:
        raise OutputRefused(f"{address.url} is not in the storage of GEM_OUTPUT, {account.url}")
    return account
