"""Storage clients for the connection names of bindings, by the rules of the host. Edge.

Source: Microsoft Learn, "Azure Functions triggers and bindings: connections" and "Connecting to
host storage with an identity".
"""

from collections.abc import Mapping
from typing import Any

from azure.core.credentials import TokenCredential
from azure.identity import ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from devkit.azurite import ACCOUNT, KEY
from devkit.runner.worker import AppLoadError

HOST_STORAGE = "AzureWebJobsStorage"

_PREFIX = "AzureWebJobs"
_RETRIES: dict[str, Any] = {"retry_total": 2, "initial_backoff": 0.3, "increment_base": 2}
"""The runner's loops retry themselves. Long retries of the SDK would only delay its end."""

_DEVELOPMENT = "UseDevelopmentStorage=true"
_DEVELOPMENT_STORAGE = (
    f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
    f"BlobEndpoint=http://127.0.0.1:10000/{ACCOUNT};"
    f"QueueEndpoint=http://127.0.0.1:10001/{ACCOUNT};"
)


class Connections:
    """Finds the storage of a connection name: by a connection string, or else an identity."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    def blobs(self, name: str) -> BlobServiceClient:
        """The blob service of a connection.

        Raises:
            AppLoadError: there is no setting for the connection.

        """
        if text := self._connection_string(name):
            return BlobServiceClient.from_connection_string(text, **_RETRIES)
        uri, credential = self._identity(name, "blob")
        return BlobServiceClient(uri, credential=credential, **_RETRIES)

    def has_queues(self, name: str) -> bool:
        """Whether the connection has a queue service."""
        return bool(
            self._connection_string(name)
            or self._value(name, "__queueServiceUri")
            or self._value(name, "__accountName")
        )

    def queue(self, name: str, queue: str) -> QueueClient:
        """A queue of a connection, which gives and takes messages as they are.

        Raises:
            AppLoadError: there is no setting for the connection.

        """
        if text := self._connection_string(name):
            return QueueClient.from_connection_string(text, queue, **_RETRIES)
        uri, credential = self._identity(name, "queue")
        return QueueServiceClient(uri, credential=credential, **_RETRIES).get_queue_client(queue)

    def _connection_string(self, name: str) -> str:
        text = self._value(name)
        return _DEVELOPMENT_STORAGE if text.rstrip(";") == _DEVELOPMENT else text

    def _identity(self, name: str, service: str) -> tuple[str, TokenCredential]:
        uri = self._value(name, f"__{service}ServiceUri") or self._value(name, "__serviceUri")
        if account := self._value(name, "__accountName"):
            uri = uri or f"https://{account}.{service}.core.windows.net"
        if not uri:
            raise AppLoadError(
                f"connection {name}: set {name} to a connection string, or {name}__blobServiceUri "
                f"and {name}__queueServiceUri for an identity"
            )
        return uri, self._credential(name)

    def _credential(self, name: str) -> TokenCredential:
        client_id = self._value(name, "__clientId") or None
        if self._value(name, "__credential").lower() == "managedidentity":
            return ManagedIdentityCredential(client_id=client_id)
        tenant, secret = self._value(name, "__tenantId"), self._value(name, "__clientSecret")
        if tenant and client_id and secret:
            return ClientSecretCredential(tenant, client_id, secret)
        return DefaultAzureCredential()

    def _value(self, name: str, suffix: str = "") -> str:
        """A setting of the connection.

        If any setting has the name with the prefix, the host reads only those with the prefix
        (`IConfigurationExtensions.GetWebJobsConnectionSection`).
        """
        prefixed = _PREFIX + name
        has_prefix = any(
            value and (key == prefixed or key.startswith(f"{prefixed}__"))
            for key, value in self._settings.items()
        )
        return self._settings.get((prefixed if has_prefix else name) + suffix) or ""
