"""How a client connects to storage, and with which identity. Pure values."""

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
    """Storage by connection string, or by service addresses and an identity.

    The suffixes (`__blobServiceUri`, `__credential`, …) are those of the Functions host, so that
    the blob trigger and our own clients read the same settings.
    """

    name: str
    connection_string: Secret | None = None
    blob_service_uri: str | None = None
    queue_service_uri: str | None = None
    managed_identity: bool = False
    """Whether `__credential` is "managedidentity"; otherwise Azure's default chain is used."""
    client_id: str | None = None
    """Of a user-assigned identity."""
    principal: ServicePrincipal | None = None
