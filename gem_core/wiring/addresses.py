"""Opens the blob at an address from the command line, for the command `audit`. Edge."""

from typing import TYPE_CHECKING

from gem_core.audit.reading.address import BlobAddress
from gem_core.errors import OutputRefused
from gem_core.redaction import remember
from gem_core.settings.secrets import parts_of
from gem_core.storage.clients import blob_service, blob_service_at
from gem_core.wiring.environment import output_connection

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

    from gem_core.audit.reading.blob_source import BlobSource


def open_address(address: BlobAddress) -> "BlobSource":
    """The blob, pinned to its current version.

    Raises:
        OutputError: the blob does not exist, cannot be read, or storage does not answer.
        SettingsError: the blob needs GEM_OUTPUT, which is missing or invalid.

    """
    from gem_core.audit.reading.blob_source import open_blob

    container = account_of(address).get_container_client(address.container)
    return open_blob(container, address.name)


def account_of(address: BlobAddress) -> "BlobServiceClient":
    """The storage account of an address.

    The credential is the signature in the address, or else Azure's default chain. For an emulator
    it is the connection string in GEM_OUTPUT.

    Raises:
        OutputRefused: the address is in another storage than GEM_OUTPUT.
        SettingsError: GEM_OUTPUT is needed, and is missing or invalid.

    """
    if address.signature:
        remember(*parts_of(address.signature.reveal()))
    if address.signature or not address.local:
        return blob_service_at(address.account, address.signature)
    output = output_connection()
    account = blob_service(output, output.blob_service_uri or "")
    # The query of this URL is the signature, if the connection string has one.
    url = account.url.partition("?")[0].rstrip("/")
    if url != address.account:
        raise OutputRefused(f"{address.url} is not in the storage of GEM_OUTPUT ({url})")
    return account
