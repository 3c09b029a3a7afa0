"""Rules for settings that are names, addresses or connection strings. Pure.

Each rule returns the problem as a text that continues after the setting's name, or "" when the
setting is valid. The text never repeats the value, which may be a secret of another setting.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import urlsplit

STORAGE_ID = "{storageId}"
"""A placeholder in GEM_OUTPUT__blobServiceUri and GEM_OUTPUT_CONTAINER."""

_STORE_NAME = re.compile("(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_GUID = re.compile("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_LABEL = "[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
_NAME = re.compile(_LABEL, re.ASCII)
_DOMAIN = re.compile(rf"(?=.{{4,253}}$){_LABEL}(?:\.{_LABEL})+", re.ASCII)
_SCOPE = re.compile(rf"(?:(?:https|api)://[0-9A-Za-z.:/-]+|{_GUID.pattern})/[A-Za-z_.]+", re.ASCII)
_OWN_CONTAINERS = {"$root", "$web", "$logs"}
"""Containers of Azure with special names."""

LOCAL = {"127.0.0.1", "localhost", "::1"}

POISON = "-poison"
"""Functions hosts put messages that failed too often on queues with this ending."""
QUEUE_RULE = "3 to 56 of a-z, 0-9, single hyphens"
"""What `is_queue_name` asks for. Azure allows 63; the name of the poison queue needs seven more."""
JOB_RUN_ID = "{jobRunId}"
"""A placeholder in GEM_REPORT_PAGE_URL, where it is required."""
MANIFEST_ID = "{id}"
"""A placeholder in GEM_REPORT_PAGE_URL for the id of the manifest."""


def is_store_name(text: str) -> bool:
    """Whether this is a valid name of a container or queue (Azure Storage, "Naming …")."""
    return _STORE_NAME.fullmatch(text) is not None


def is_queue_name(text: str) -> bool:
    """Whether this is a valid name of a results queue, and the name of its poison queue too."""
    return is_store_name(text) and is_store_name(f"{text}{POISON}")


def is_guid(text: str) -> bool:
    """Whether this is a GUID, as all ids of Entra ID are."""
    return _GUID.fullmatch(text) is not None


def is_tenant(text: str) -> bool:
    """Whether this is the id or a domain of a tenant. azure.identity accepts no other characters
    than those of both.
    """
    return is_guid(text) or _DOMAIN.fullmatch(text) is not None


def is_scope(text: str) -> bool:
    """Whether this is a resource and a permission ("Scopes and permissions", Entra ID)."""
    return _SCOPE.fullmatch(text) is not None


def container_problem(text: str) -> str:
    """The problem with the name of an output container, which may contain {storageId}."""
    if text in _OWN_CONTAINERS or is_store_name(text.replace(STORAGE_ID, "storage")):
        return ""
    return (
        "is not a container name (3 to 63 of a-z, 0-9, single hyphens; "
        f"it may contain {STORAGE_ID})"
    )


def address_problem(text: str) -> str:
    """The problem with the address of a service.

    The address must be https, or http for this machine. It must have no user, query or fragment,
    because they would be copied into manifests (`source`), reports and messages.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is an address with an invalid host or port"
    if not host or not (parts.scheme == "https" or (host in LOCAL and parts.scheme == "http")):
        return "is not an https address (http only for this machine)"
    if parts.username is not None:
        return "has a user or password: remove them"
    if "?" in text or "#" in text:
        return (
            "has a query or a fragment: remove them (a shared access signature belongs in a "
            "connection string, beside BlobEndpoint)"
        )
    if port == 0 or not text.isprintable() or " " in text:
        return "is an address with port 0, blanks or unprintable characters"
    return ""


def page_url_problem(text: str) -> str:
    """The problem with the address of report pages.

    It is copied into manifests, so it must not have a query, in which a key could stand.
    """
    address = text.replace(JOB_RUN_ID, "job").replace(MANIFEST_ID, "id")
    if problem := address_problem(address):
        return problem
    if JOB_RUN_ID not in urlsplit(text).path or "{" in address or "}" in address:
        return f"needs {JOB_RUN_ID} in its path; {MANIFEST_ID} is the only other placeholder"
    return ""


def connection_string_problem(text: str, *, queues: bool) -> str:
    """The problem with a connection string ("Configure Azure Storage connection strings").

    A credential is required. Without one, the SDK would send anonymous requests.
    """
    pairs = [part.split("=", 1) for part in text.rstrip(";").split(";")]
    if not all(len(pair) == 2 for pair in pairs):  # noqa: PLR2004 - name and value
        return "is not a storage connection string: it must be NAME=VALUE;NAME=VALUE;…"
    parts = {name.upper(): value for name, value in pairs if value}
    return _services_problem(parts, queues=queues) or _credential_problem(parts)


def _services_problem(parts: Mapping[str, str], *, queues: bool) -> str:
    """The problem with the addresses of a connection string."""
    for needed, endpoint in ((True, "BlobEndpoint"), (queues, "QueueEndpoint")):
        if needed and not parts.keys() & {"ACCOUNTNAME", endpoint.upper()}:
            return f"is a connection string that needs an {endpoint} (or an AccountName)"
        if not _is_endpoint(parts.get(endpoint.upper(), "https://by-account")):
            return f"is a connection string whose {endpoint} is not an address, or has a query"
    if not _NAME.fullmatch(parts.get("ACCOUNTNAME", "none")):
        return "is a connection string whose AccountName is not the name of an account"
    return ""


def _credential_problem(parts: Mapping[str, str]) -> str:
    """The problem with the key or signature of a connection string."""
    if "ACCOUNTKEY" not in parts:
        return (
            ""
            if "SHAREDACCESSSIGNATURE" in parts
            else "is a connection string that needs an AccountKey or SharedAccessSignature"
        )
    if "ACCOUNTNAME" not in parts:
        return "is a connection string that needs an AccountName beside its AccountKey"
    try:
        b64decode(parts["ACCOUNTKEY"], validate=True)
    except ValueError:
        return "is a connection string with an AccountKey that is not base64: copy it again"
    return ""


def _is_endpoint(text: str) -> bool:
    """Whether this is the address of a service in a connection string.

    The SDK puts the signature behind it, and shows the whole when it cannot use it.
    """
    try:
        parts = urlsplit(text)
        has_port = parts.port != 0
    except ValueError:
        return False
    is_plain = text.isprintable() and not set(text) & set("?#@ ")
    return bool(parts.scheme in {"https", "http"} and parts.hostname and has_port and is_plain)
