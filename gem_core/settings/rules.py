"""What is valid in a setting that is more than a number or a word. Pure.

Each rule returns what is wrong, as a sentence that continues after the setting's name, or "". It
never repeats a text that may contain a secret.
"""

import re
from base64 import b64decode
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cronsim import CronSim, CronSimError

STORAGE_ID = "{storageId}"
"""A placeholder in GEM_OUTPUT__blobServiceUri and GEM_OUTPUT_CONTAINER."""

_STORE_NAME = re.compile("(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_OWN_CONTAINERS = {"$root", "$web", "$logs"}
"""Containers that Azure itself uses."""

NCRONTAB_FIELDS = 6
"""Seconds, minutes, hours, day, month, day of the week."""
_VALUE = "(?:[0-9]+|[A-Z]{3})"
_PART = rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/[0-9]+)?"
_FIELD = re.compile(f"{_PART}(?:,{_PART})*", re.ASCII)
_SEVEN = re.compile("(?<![/0-9])0*7(?![0-9])", re.ASCII)
"""The day of the week 7; not a step of 7."""
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""The parser needs a start, although a schedule is only parsed here."""

LOCAL = {"127.0.0.1", "localhost", "::1"}


def is_store_name(text: str) -> bool:
    """Whether this is a valid name of a container or queue (Azure Storage, "Naming …")."""
    return _STORE_NAME.fullmatch(text) is not None


def container_problem(text: str) -> str:
    """What is wrong with the name of an output container; {storageId} may be part of it."""
    if text in _OWN_CONTAINERS or is_store_name(text.replace(STORAGE_ID, "storage")):
        return ""
    return (
        f"is {text[:70]!r}, not a container's name (3 to 63 of a-z, 0-9, single hyphens; "
        f"{STORAGE_ID} may be part of it)"
    )


def address_problem(text: str) -> str:
    """What is wrong with the address of a service: https (http only for this machine), no more.

    A user, a query or a fragment would be copied into manifests (`source`), reports and messages.
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
            "has a query or a fragment: use the address alone (a shared access signature belongs "
            "into a connection string, beside BlobEndpoint)"
        )
    if port == 0 or not text.isprintable() or " " in text:
        return "is an address with port 0, blanks or unprintable characters"
    return ""


def connection_string_problem(text: str, *, queues: bool) -> str:
    """What is wrong with a connection string ("Configure Azure Storage connection strings").

    The SDK also accepts one without a credential and then sends anonymous requests; this does not.
    """
    pairs = [part.split("=", 1) for part in text.rstrip(";").split(";")]
    if not all(len(pair) == 2 for pair in pairs):  # noqa: PLR2004 - name and value
        return "is not a storage connection string: parts NAME=VALUE with a ; between them"
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


def schedule_problem(text: str) -> str:
    """What is wrong with an NCRONTAB schedule of six fields, as the Functions host reads it.

    Our own parser also accepts days such as L or 1#2, and 7 for Sunday. The host does not, and the
    timer would never start.
    """
    fields = text.upper().split()
    if len(fields) != NCRONTAB_FIELDS:
        return "it needs six fields, seconds first"
    try:
        CronSim(text, _ANY_TIME)
    except CronSimError as error:
        return str(error)
    if not all(_FIELD.fullmatch(field) for field in fields):
        return "a field may have numbers, names, ranges and steps, or *"
    if _SEVEN.search(fields[-1]):
        return "Sunday is 0"
    return ""
