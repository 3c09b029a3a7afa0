"""Translates the errors of Azure's storage SDK into `gem_core.errors`. Edge: azure.core.

Each kind of request has a context manager. No other module translates these errors. Source of codes
and statuses: "Status and error codes" (Azure Storage REST).

A message contains types, statuses and codes, but no text of the SDK or of a server. Such a text may
contain a secret. When a signature is refused, the SDK repeats the signed text; a server may repeat
an address with its signature.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from azure.core.exceptions import AzureError, HttpResponseError

from gem_core.errors import (
    DocumentArchived,
    NoToken,
    OutputChanged,
    OutputMissing,
    OutputUnreachable,
    OutputWithoutToken,
    PageUnknown,
    RangeNotSatisfiable,
    RecordConflict,
    RecordMissing,
    StoreError,
    StoreMissing,
    StoreRefused,
    StoreWithoutToken,
    TokenRefused,
)

NOT_STORAGE = "NotStorage"
"""Stands in place of storage's code for a refusal of another server (`storage.answers`)."""
_CODE = re.compile("[A-Za-z]{1,64}", re.ASCII)
"""All codes that can occur here have only letters, at most 50. Two codes about MD5 have a digit."""
_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

_CONFLICT = (RecordConflict, "{}: another writer was first")
_GONE = (RecordMissing, "{}: another writer removed it first")
_MISSING = (
    StoreMissing,
    "{} does not exist in GEM_STATE: create it (the infrastructure creates it)",
)
_BEING_DELETED = (
    StoreMissing,
    "{} is being deleted in GEM_STATE: create it afterwards (in half a minute or more)",
)
_ARCHIVED = (
    DocumentArchived,
    "{}: a document is in the archive tier: rehydrate it, and let no rule archive this container",
)
_STATE: dict[str, tuple[type[StoreError], str]] = {
    "BlobAlreadyExists": _CONFLICT,
    "ConditionNotMet": _CONFLICT,
    "PopReceiptMismatch": _CONFLICT,
    "BlobNotFound": _GONE,
    "BlobArchived": _ARCHIVED,
    "BlobBeingRehydrated": _ARCHIVED,
    "MessageNotFound": _GONE,
    "ContainerNotFound": _MISSING,
    "QueueNotFound": _MISSING,
    "ContainerBeingDeleted": _BEING_DELETED,
    "QueueBeingDeleted": _BEING_DELETED,
    NOT_STORAGE: (
        StoreRefused,
        "{}: another server on the way refused access (403): check proxies and firewalls",
    ),
}
"""Errors by code. The status is not enough: storage also answers 409 and 412 for a blob with a
lease, and then a second attempt does not help."""
_NO_BLOB, _OTHER_VERSION = "BlobNotFound", "ConditionNotMet"
_OUTPUT = {
    "ContainerNotFound": "no such container: check the address (GEM_OUTPUT, GEM_OUTPUT_CONTAINER)",
    "BlobArchived": "the file is in the archive tier: rehydrate it",
    NOT_STORAGE: "another server on the way refused access: check proxies and firewalls",
}
"""What to do, by code."""


@contextmanager
def container_errors(container: str, *, resumed: bool = False) -> Iterator[None]:
    """Translates errors of requests to a container of the state storage.

    Args:
        container: the name of the container.
        resumed: whether the request continues a listing with a token from a caller. Only this token
            comes from outside, so an answer of 400 is about the token.

    Raises:
        RecordConflict: another writer was first.
        RecordMissing: the document does not exist.
        DocumentArchived: the document is in the archive tier.
        PageUnknown: storage does not accept the token.
        StoreMissing: the container does not exist.
        StoreRefused: storage refused because of the key, the role or the firewall, or there is no
            identity.
        StoreWithoutToken: there is no token now.
        StoreError: storage gave another answer, or did not answer.

    """
    try:
        yield
    except NoToken as error:
        raise _store_without_token(f"container {container!r}", error) from None
    except AzureError as error:
        if resumed and _status(error) == HTTPStatus.BAD_REQUEST:
            raise PageUnknown("storage does not know this page of the listing") from error
        raise _store_error(f"container {container!r}", error) from error


@contextmanager
def queue_errors(queue: str) -> Iterator[None]:
    """Translates errors of requests to a queue of the state storage.

    Raises:
        RecordConflict: another reader has the message.
        RecordMissing: the message does not exist.
        StoreMissing: the queue does not exist.
        StoreRefused: storage refused because of the key, the role or the firewall, or there is no
            identity.
        StoreWithoutToken: there is no token now.
        StoreError: storage gave another answer, or did not answer. A message may have arrived.

    """
    try:
        yield
    except NoToken as error:
        raise _store_without_token(f"queue {queue!r}", error) from None
    except AzureError as error:
        raise _store_error(f"queue {queue!r}", error) from error


@contextmanager
def opening_errors(url: str) -> Iterator[None]:
    """Translates errors of a request to any version of a file of GEM.

    Raises:
        OutputMissing: storage says that the file does not exist.
        RangeNotSatisfiable: the file is empty.
        OutputUnreachable: storage refused, throttled or did not answer, or the container does not
            exist. A missing container is a wrong setting and not a missing output. A 404 without
            storage's code may come from a proxy, and says nothing about the file.

    """
    try:
        yield
    except NoToken as error:
        raise _output_without_token(url, error) from None
    except AzureError as error:
        if _code(error) == _NO_BLOB:
            raise OutputMissing(f"{url} is not there") from None
        if _status(error) == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise RangeNotSatisfiable(f"{url} is empty") from None
        raise _unreachable(url, error) from None


@contextmanager
def reading_errors(url: str) -> Iterator[None]:
    """Translates errors of a request to one version of a file of GEM.

    Raises:
        OutputChanged: storage says that the version was replaced or deleted.
        OutputUnreachable: storage refused, throttled or did not answer.

    """
    try:
        yield
    except NoToken as error:
        raise _output_without_token(url, error) from None
    except AzureError as error:
        if _code(error) in {_NO_BLOB, _OTHER_VERSION}:
            raise OutputChanged(f"{url} was replaced or deleted while it was read") from None
        raise _unreachable(url, error) from None


def _store_without_token(store: str, error: NoToken) -> StoreError:
    kind = StoreRefused if isinstance(error, TokenRefused) else StoreWithoutToken
    return kind(f"{store}: {error}")


def _output_without_token(url: str, error: NoToken) -> OutputUnreachable:
    kind = OutputUnreachable if isinstance(error, TokenRefused) else OutputWithoutToken
    return kind(f"{url}: {error}")


def _store_error(store: str, error: AzureError) -> StoreError:
    code, status = _code(error), _status(error)
    if code in _STATE:
        kind, sentence = _STATE[code]
        return kind(sentence.format(store))
    seen = code or status or _types(error)
    if status in _REFUSALS:
        return StoreRefused(
            f"{store}: storage refused ({seen}): check the identity or key of GEM_STATE, its role, "
            "and the storage firewall"
        )
    if status is None:
        return StoreError(
            f"{store}: no answer from storage ({seen}): check the address in GEM_STATE and the "
            "network"
        )
    return StoreError(f"{store}: storage answered {seen}")


def _unreachable(url: str, error: AzureError) -> OutputUnreachable:
    code, status = _code(error), _status(error)
    if code in _OUTPUT:
        advice = _OUTPUT[code]
    elif status in _REFUSALS:
        advice = "refused: grant Storage Blob Data Reader, and check the storage firewall"
    elif status is None:
        advice = "no answer: check the address and the network"
    else:
        advice = "storage cannot serve the file now"
    seen = " ".join(str(part) for part in (status, code, _types(error)) if part)
    return OutputUnreachable(f"{url}: {advice} ({seen})")


def _status(error: AzureError) -> int | None:
    """The HTTP status; None without an answer."""
    return error.status_code if isinstance(error, HttpResponseError) else None


def _code(error: AzureError) -> str:
    """Storage's code, such as "BlobNotFound"; empty if there is none or if it has another form.

    The SDK sets this attribute from a header of the answer. Its types do not declare it.
    """
    code = getattr(error, "error_code", None)
    word = str(getattr(code, "value", code) or "")
    return word if _CODE.fullmatch(word) else ""


def _types(error: AzureError) -> str:
    """The type of the error and, without an answer, the type of its cause."""
    cause = None if isinstance(error, HttpResponseError) else error.inner_exception
    return ": ".join(type(each).__name__ for each in (error, cause) if each)
