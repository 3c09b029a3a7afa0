"""Azure's clients and credentials, made from a connection of the settings. Edge: azure.

The SDKs are slow to import, azure.identity most of all, so each is imported where it is needed.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from gem_core.secret import Secret
from gem_core.settings.app_settings import MAX_CONCURRENCY
from gem_core.settings.connection import Connection, ServicePrincipal

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueServiceClient
    from requests import Session

CONNECTIONS = MAX_CONCURRENCY
"""Kept open by a client at most, and made as they are needed: one for each question that may be in
flight. The SDK keeps ten, throws the others away and says so at each of them."""
RETRIES: dict[str, Any] = {"retry_total": 4, "initial_backoff": 1, "increment_base": 2}
"""Seconds of the storage SDK's exponential retry; its default waits 15 s before the first one. It
tries again after 408, 5xx and broken connections, not after 429, and ignores Retry-After."""
IMPATIENT: dict[str, Any] = {
    "retry_total": 1,
    "initial_backoff": 1,
    "increment_base": 0,
    "random_jitter_range": 0,
    "connection_timeout": 5,
    "read_timeout": 10,
}
"""For somebody who waits for the answer; seconds."""

_WHOLE: dict[str, Any] = {"connection_data_block_size": 16 << 20}
"""A piece of a file is read from its connection at once rather than joined from small blocks, which
takes two thirds of the CPU time (docs/decisions/0025)."""


@cache
def blob_service(
    connection: Connection, service_uri: str, *, impatient: bool = False
) -> "BlobServiceClient":
    """The blob service; the address is only used where there is no connection string."""
    from azure.storage.blob import BlobServiceClient

    options = (IMPATIENT if impatient else RETRIES) | _WHOLE
    if connection.connection_string:
        return BlobServiceClient.from_connection_string(
            connection.connection_string.reveal(), session=_session(), **options
        )
    return BlobServiceClient(
        service_uri, credential=_credential(connection), session=_session(), **options
    )


def blob_service_at(url: str, signature: Secret | None) -> "BlobServiceClient":
    """The blob service at an address, by a shared access signature, else by the default chain."""
    from azure.core.credentials import AzureSasCredential
    from azure.storage.blob import BlobServiceClient

    credential = AzureSasCredential(signature.reveal()) if signature else sign_in(None)
    return BlobServiceClient(url, credential=credential, session=_session(), **RETRIES, **_WHOLE)


@cache
def queue_service(connection: Connection, *, impatient: bool = False) -> "QueueServiceClient":
    """The queue service."""
    from azure.storage.queue import QueueServiceClient

    options = IMPATIENT if impatient else RETRIES
    if connection.connection_string:
        return QueueServiceClient.from_connection_string(
            connection.connection_string.reveal(), session=_session(), **options
        )
    return QueueServiceClient(
        connection.queue_service_uri or "",
        credential=_credential(connection),
        session=_session(),
        **options,
    )


def _session() -> "Session":
    """As the SDK makes its own, but for the number of connections: urllib3 tries nothing again."""
    from requests import Session
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    session = Session()
    never = Retry(total=False, redirect=False, raise_on_status=False)
    adapter = HTTPAdapter(pool_maxsize=CONNECTIONS, max_retries=never)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return session


def connector(
    connection: Connection, *, impatient: bool = False
) -> "Callable[[str, str], ContainerClient]":
    """Gives a container by the address of its service and its name."""

    def connect(service_uri: str, container: str) -> "ContainerClient":
        service = blob_service(connection, service_uri, impatient=impatient)
        return service.get_container_client(container)

    return connect


@cache
def _credential(connection: Connection) -> "TokenCredential":
    if connection.managed_identity:
        from azure.identity import ManagedIdentityCredential

        return ManagedIdentityCredential(client_id=connection.client_id)
    return sign_in(connection.principal)


def sign_in(principal: ServicePrincipal | None) -> "TokenCredential":
    """As the service principal when there is one, else by Azure's default chain."""
    from azure.identity import (
        ClientSecretCredential,
        DefaultAzureCredential,
    )

    if principal is None:
        return DefaultAzureCredential()
    return ClientSecretCredential(
        principal.tenant_id, principal.client_id, principal.client_secret.reveal()
    )
