"""Values that describe a connection to storage and its identity. Pure."""

from dataclasses import dataclass

from gem_core.secret import Secret


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An Entra application with a client secret."""

    tenant_id: str
    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to storage: a connection string, or service addresses and an identity.

    The suffixes (`__blobServiceUri`, `__credential`, …) are those of the Functions host. So the
    blob trigger and the app's own clients read the same settings.
    """

    name: str
    connection_string: Secret | None = None
    blob_service_uri: str | None = None
    queue_service_uri: str | None = None
    managed_identity: bool = False
    """Whether `__credential` is "managedidentity"; otherwise Azure's default chain is used."""
    client_id: str | None = None
    """The client id of a user-assigned identity."""
    principal: ServicePrincipal | None = None
    on_platform: bool = False
    """Whether the process runs where an identity endpoint gives tokens, as in Azure."""
