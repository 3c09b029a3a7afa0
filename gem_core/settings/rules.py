"""Rules for settings that are names, addresses or connection strings. Pure.

Each rule returns the problem as a text that continues after the setting's name, or "" when the
setting is valid. The text never repeats anything that may contain a secret.
"""

import re
from base64 import b64decode
from urllib.parse import urlsplit

STORAGE_ID = "{storageId}"
"""A placeholder in GEM_OUTPUT__blobServiceUri and GEM_OUTPUT_CONTAINER."""

_STORE_NAME = re.compile("(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_OWN_CONTAINERS = {"$root", "$web", "$logs"}
"""Containers of Azure with special names."""

LOCAL = {"127.0.0.1", "localhost", "::1"}


def is_store_name(text: str) -> bool:
    """Whether this is a valid name of a container or queue (Azure Storage, "Naming …")."""
    return _STORE_NAME.fullmatch(text) is not None


def container_problem(text: str) -> str:
    """The problem with the name of an output container, which may contain {storageId}."""
    if text in _OWN_CONTAINERS or is_store_name(text.replace(STORAGE_ID, "storage")):
        return ""
    return (
        f"is {text[:70]!r}, not a container name (3 to 63 of a-z, 0-9, single hyphens; "
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


def connection_string_problem(text: str, *, queues: bool) -> str:
    """The problem with a connection string ("Configure Azure Storage connection strings").

    A credential is required. Without one, the SDK would send anonymous requests.
    """
    pairs = [part.split("=", 1) for part in text.rstrip(";").split(";")]
    if not all(len(pair) == 2 for pair in pairs):  # noqa: PLR2004 - name and value
        return "is not a storage connection string: it must be NAME=VALUE;NAME=VALUE;…"
    parts = {name.upper(): value for name, value in pairs if value}
    for needed, endpoint in ((True, "BlobEndpoint"), (queues, "QueueEndpoint")):
        if needed and not parts.keys() & {"ACCOUNTNAME", endpoint.upper()}:
            return f"is a connection string that needs an {endpoint} (or an AccountName)"
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
