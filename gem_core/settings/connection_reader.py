"""Reads the settings of a storage connection. Pure."""

from dataclasses import replace
from urllib.parse import urlsplit

from gem_core.secret import Secret
from gem_core.settings.connection import Connection, ServicePrincipal
from gem_core.settings.reader import SettingReader, is_reference
from gem_core.settings.rules import connection_string_problem
from gem_core.settings.store_address import OVERTURE_HOST, StoreAddress

_HOST_PREFIX = "AzureWebJobs"
IDENTITY_ENDPOINT = "IDENTITY_ENDPOINT"
"""The platform sets it if the app has a managed identity ("How to use managed identities for App
Service and Azure Functions", REST endpoint reference)."""
_DEVELOPMENT_STORAGE = "UseDevelopmentStorage=true"
_EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
)
"""The meaning of the shortcut `UseDevelopmentStorage=true`: the published account of the emulator,
which is the same on every machine. The Functions host knows the shortcut; the Python SDK does not
("Use the Azurite emulator")."""


def read_connection(read: SettingReader, name: str, *, queues: bool) -> Connection:
    """Read a storage connection. With `queues`, it must also have a queue service."""
    connection_string = read.secret(name)
    if connection_string and connection_string.reveal().rstrip(";") == _DEVELOPMENT_STORAGE:
        connection_string = Secret(_EMULATOR)
    text = connection_string.reveal() if connection_string else ""
    if text and not is_reference(text):
        problem = connection_string_problem(text, queues=queues)
        read.problems += [f"{name} {problem}"] if problem else []
    blob = read.url(f"{name}__blobServiceUri")
    queue = read.url(f"{name}__queueServiceUri") if queues else ""
    by_address = read.is_set(f"{name}__blobServiceUri")
    if not connection_string and not by_address:
        read.problems.append(f"{name} is missing (or {name}__blobServiceUri with an identity)")
    if by_address and queues and not read.is_set(f"{name}__queueServiceUri"):
        read.problems.append(f"{name}__queueServiceUri is missing beside __blobServiceUri")
    managed, principal = _identity(read, name)
    # Of a service principal, the id was checked with its secret.
    client_id = read.text(f"{name}__clientId") if principal else read.client_id(f"{name}__clientId")
    return Connection(
        name=name,
        connection_string=connection_string,
        blob_service_uri=blob or None,
        queue_service_uri=queue or None,
        managed_identity=managed,
        client_id=client_id or None,
        principal=principal,
        on_platform=read.is_set(IDENTITY_ENDPOINT),
    )


def read_store(read: SettingReader, name: str) -> StoreAddress | None:
    """Read the address of a blob service that is asked anonymously, unless a setting says else.

    No credential goes to Overture's own account: it would refuse one of another tenant, and needs
    none.
    """
    address = read.store(name)
    credential, client_id = f"{name}__credential", read.client_id(f"{name}__clientId")
    if not _is_managed(read, name):
        if client_id and not read.is_set(credential):
            read.problems.append(f"{name}__clientId needs {credential}=managedidentity")
        return address
    if not read.is_set(name):
        read.problems.append(f"{credential} is set, but {name} is not")
    elif address and address.signature:
        read.problems.append(f"{name} has a signature: remove it, or {credential}")
    elif address and urlsplit(address.url).hostname == OVERTURE_HOST:
        read.problems.append(
            f"{name} is Overture's own account, which is public: remove {credential}"
        )
    elif address:
        return replace(address, managed_identity=True, client_id=client_id or None)
    return None


def check_host_reads_the_same(read: SettingReader, name: str) -> None:
    """Report when the Functions host takes a trigger's connection from other settings than the app.

    The host reads the settings with the prefix if there is one of them, and then no other
    (`IConfigurationExtensions.GetWebJobsConnectionSection` of the WebJobs SDK).
    """
    prefixed = f"{_HOST_PREFIX}{name}"
    of_host = read.section(prefixed)
    if of_host and of_host != read.section(name):
        read.problems.append(
            f"{name} and {prefixed} differ: the triggers would use another account than the app. "
            f"Delete the settings {prefixed}…"
        )


def _identity(read: SettingReader, name: str) -> tuple[bool, ServicePrincipal | None]:
    """Whether a connection uses a managed identity, and its service principal if it has one."""
    managed = _is_managed(read, name)
    tenant, secret = f"{name}__tenantId", f"{name}__clientSecret"
    present = [each for each in (tenant, secret) if read.is_set(each)]
    if managed and present:
        read.problems.append(
            f"{name}__credential is managedidentity, but {' and '.join(present)} belong to another "
            "identity: remove one or the other"
        )
    elif present:
        return False, read.principal(tenant, f"{name}__clientId", secret)
    elif read.is_set(f"{name}__clientId") and not read.is_set(f"{name}__credential"):
        read.problems.append(
            f"{name}__clientId alone is not enough: it needs __credential=managedidentity, or "
            "__tenantId and __clientSecret"
        )
    return managed, None


def _is_managed(read: SettingReader, name: str) -> bool:
    credential = read.text(f"{name}__credential").lower()
    managed = credential == "managedidentity"
    if credential and not managed:
        read.problems.append(f"{name}__credential must be managedidentity or absent")
    return managed
