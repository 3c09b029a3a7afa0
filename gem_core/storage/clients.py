"""Azure's clients and credentials for a connection in the settings. Edge: azure.

The SDKs are slow to import, especially azure.identity, so each is imported where it is needed.
"""

from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gem_core.once import Once
from gem_core.secret import Secret
from gem_core.settings.app_settings import MAX_CONCURRENCY
from gem_core.settings.connection import Connection, ServicePrincipal
from gem_core.settings.store_address import StoreAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueServiceClient

    from gem_core.storage.clock import StorageClock

CONNECTIONS = MAX_CONCURRENCY
"""Maximum number of open connections of a client: one for each concurrent request to GEM. With the
SDK's default of ten, the others would be closed after each request and logged as a warning."""
ANSWER_SECONDS = 120
"""Longest time for a whole answer of storage: the longest range, 16 MiB, at 140 KB/s."""
_ONE_BLOCK: dict[str, Any] = {"connection_data_block_size": 16 << 20}
"""A download is read from its connection as one block. Joining small blocks would take two thirds
of the CPU time (docs/decisions/0025)."""


class Retries(Enum):
    """Options of the storage SDK's exponential retry, in seconds.

    The SDK retries after 408, 5xx and broken connections. It does not retry after 429, and it
    ignores Retry-After.
    """

    BACKGROUND = MappingProxyType({"retry_total": 4, "initial_backoff": 1, "increment_base": 2})
    """For the app. The SDK's default would wait 15 s before the first retry."""
    INTERACTIVE = MappingProxyType(
        {
            "retry_total": 1,
            "initial_backoff": 1,
            "increment_base": 0,
            "random_jitter_range": 0,
            "connection_timeout": 5,
            "read_timeout": 10,
        }
    )
    """For a person who waits for the answer."""
    PROBE = MappingProxyType({"retry_total": 0, "connection_timeout": 2, "read_timeout": 2})
    """For a probe, which asks again soon anyway."""

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments for a client."""
        return dict(self.value)


@Once
def storage_clock(connection: Connection) -> "StorageClock":  # noqa: ARG001 - one for each
    """The clock of a connection's storage. All its blob clients share it."""
    from gem_core.storage.clock import StorageClock

    return StorageClock()


@Once
def blob_service(
    connection: Connection, service_uri: str, retries: Retries = Retries.BACKGROUND
) -> "BlobServiceClient":
    """The client of a blob service. `service_uri` is used only without a connection string.

    Each answer sets `storage_clock`.
    """
    from azure.storage.blob import BlobServiceClient

    options, clock = retries.options | _ONE_BLOCK, storage_clock(connection)
    if connection.connection_string:
        text = connection.connection_string.reveal()
        url = BlobServiceClient.from_connection_string(text).url
        return BlobServiceClient.from_connection_string(text, **_http(url, clock), **options)
    return BlobServiceClient(
        service_uri, credential=_credential(connection), **_http(service_uri, clock), **options
    )


def blob_service_at(url: str, signature: Secret | None) -> "BlobServiceClient":
    """The client of the blob service at `url`.

    The credential is the shared access signature, or else Azure's default chain.
    """
    from azure.core.credentials import AzureSasCredential
    from azure.storage.blob import BlobServiceClient

    credential = (
        AzureSasCredential(signature.reveal()) if signature else sign_in(None, on_platform=False)
    )
    options = Retries.BACKGROUND.options | _ONE_BLOCK
    return BlobServiceClient(url, credential=credential, **_http(url), **options)


@Once
def overture_service(
    address: StoreAddress, answer_seconds: float | None = None
) -> "BlobServiceClient":
    """The client of the blob service with Overture's changelog.

    Its token, if it has one, goes to the host that the settings name with it.
    """
    from azure.core.credentials import AzureSasCredential
    from azure.storage.blob import BlobServiceClient

    credential: AzureSasCredential | TokenCredential | None = None
    if address.managed_identity:
        identity = Connection("GEM_OVERTURE", managed_identity=True, client_id=address.client_id)
        credential = _credential(identity)
    elif address.signature:
        credential = AzureSasCredential(address.signature.reveal())
    options = Retries.INTERACTIVE.options | _ONE_BLOCK
    http = _http(address.url, answer_seconds=answer_seconds)
    return BlobServiceClient(address.url, credential=credential, **http, **options)


@Once
def queue_service(
    connection: Connection, retries: Retries = Retries.BACKGROUND
) -> "QueueServiceClient":
    """The client of a queue service."""
    from azure.storage.queue import QueueServiceClient

    if connection.connection_string:
        text = connection.connection_string.reveal()
        url = QueueServiceClient.from_connection_string(text).url
        return QueueServiceClient.from_connection_string(text, **_http(url), **retries.options)
    url = connection.queue_service_uri or ""
    return QueueServiceClient(
        url, credential=_credential(connection), **_http(url), **retries.options
    )


def _http(
    url: str, clock: "StorageClock | None" = None, answer_seconds: float | None = None
) -> dict[str, Any]:
    """Options of a client for its HTTP requests; a whole answer has `ANSWER_SECONDS` by default.

    Storage never redirects, so no redirect is followed.
    """
    from gem_core.http_session import http_session
    from gem_core.storage.answers import refuse_others

    seconds = answer_seconds or ANSWER_SECONDS
    session = http_session(url, answer_seconds=seconds, connections=CONNECTIONS)
    session.hooks["response"].append(refuse_others)
    if clock:
        session.hooks["response"].append(clock.hook)
    # The SDK passes its own `verify` with each request, which counts more than the session's.
    return {
        "session": session,
        "connection_verify": session.verify,
        "permit_redirects": False,
    }


def connector(
    connection: Connection, retries: Retries = Retries.BACKGROUND
) -> "Callable[[str, str], ContainerClient]":
    """A function from a blob service's address and a container's name to the container's client."""

    def connect(service_uri: str, container: str) -> "ContainerClient":
        service = blob_service(connection, service_uri, retries)
        return service.get_container_client(container)

    return connect


@Once
def _credential(connection: Connection) -> "TokenCredential":
    if not connection.managed_identity:
        return sign_in(connection.principal, on_platform=connection.on_platform)
    from azure.identity import ManagedIdentityCredential

    from gem_core.storage.identity import OPTIONS, Identity, TokensFrom

    make = partial(ManagedIdentityCredential, client_id=connection.client_id, **OPTIONS)
    return Identity(make, TokensFrom.PLATFORM)


def sign_in(principal: ServicePrincipal | None, *, on_platform: bool) -> "TokenCredential":
    """The credential of the service principal, or Azure's default chain if there is none.

    Args:
        principal: an application with its secret.
        on_platform: whether an identity endpoint gives the tokens of the default chain.

    """
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    from gem_core.storage.identity import OPTIONS, Identity, TokensFrom

    if principal is None:
        source = TokensFrom.PLATFORM if on_platform else TokensFrom.SIGN_IN
        return Identity(partial(DefaultAzureCredential, **OPTIONS), source)
    return Identity(
        partial(
            ClientSecretCredential,
            principal.tenant_id,
            principal.client_id,
            principal.client_secret.reveal(),
            **OPTIONS,
        ),
        TokensFrom.SECRET,
    )
