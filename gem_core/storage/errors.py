"""What a failed request to storage means: the only module that translates the SDK's errors.

Edge: azure.core. Each kind of request has a context manager, which raises the errors of
`gem_core.errors`. Source of codes and statuses: "Status and error codes" (Azure Storage REST).

No text of the SDK or of a server gets into a message, only types, statuses and codes: for a refused
signature the SDK repeats what was signed, and a server may repeat an address with its signature.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from gem_core.errors import (
    OutputChanged,
    OutputMissing,
    OutputUnreachable,
    PageUnknown,
    RangeNotSatisfiable,
    RecordConflict,
    RecordMissing,
    StoreError,
    StoreMissing,
    StoreRefused,
)

_CODE = re.compile("[A-Za-z]{1,64}", re.ASCII)
"""All codes that can come are letters, 50 at most; two others, about an MD5, have a digit."""
_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

_CONFLICT = (RecordConflict, "{}: another writer was first")
_GONE = (RecordMissing, "{}: another writer removed it first")
_MISSING = (
    StoreMissing,
    "{} does not exist in GEM_STATE: create it (the infrastructure does so)",
)
_BEING_DELETED = (
    StoreMissing,
    "{} is being deleted in GEM_STATE: create it when it is gone (half a minute or more)",
)
_STATE: dict[str, tuple[type[StoreError], str]] = {
    "BlobAlreadyExists": _CONFLICT,
    "ConditionNotMet": _CONFLICT,
    "PopReceiptMismatch": _CONFLICT,
    "BlobNotFound": _GONE,
    "MessageNotFound": _GONE,
    "ContainerNotFound": _MISSING,
    "QueueNotFound": _MISSING,
    "ContainerBeingDeleted": _BEING_DELETED,
    "QueueBeingDeleted": _BEING_DELETED,
}
"""By code, not by status: a blob that has a lease is also answered by 409 and 412, and then it does
not help to read again and to write again."""
_OUTPUT = {
    "ContainerNotFound": "no such container: check the address (GEM_OUTPUT, GEM_OUTPUT_CONTAINER)",
    "BlobArchived": "in the archive tier: rehydrate it",
}


@contextmanager
def container_errors(container: str, *, resumed: bool = False) -> Iterator[None]:
    """For requests to a container of our state.

    Args:
        container: its name.
        resumed: whether the request continues a listing from a place that a caller named. Nothing
            else in our requests comes from outside, so that 400 is about that place.

    Raises:
        RecordConflict: another writer was first; RecordMissing when the document does not exist.
        PageUnknown: storage does not know the place to continue from.
        StoreMissing: the container does not exist.
        StoreRefused: key, role or firewall.
        StoreError: any other answer, or none.

    """
    try:
        yield
    except AzureError as error:
        if resumed and _status(error) == HTTPStatus.BAD_REQUEST:
            raise PageUnknown("storage knows no such page of the listing") from error
        raise _store_error(f"container {container!r}", error) from error


@contextmanager
def queue_errors(queue: str) -> Iterator[None]:
    """For requests to a queue of our state.

    Raises:
        RecordConflict: another reader has the message; RecordMissing when it does not exist.
        StoreMissing: the queue does not exist.
        StoreRefused: key, role or firewall.
        StoreError: any other answer, or none. A message may have arrived all the same.

    """
    try:
        yield
    except AzureError as error:
        raise _store_error(f"queue {queue!r}", error) from error


@contextmanager
def opening_errors(url: str) -> Iterator[None]:
    """For a request to a file of GEM that names no version of it.

    Raises:
        OutputMissing: there is no such file.
        RangeNotSatisfiable: the file has no bytes.
        OutputUnreachable: refused, throttled, no answer, or no such container, which is a wrong
            setting rather than a missing output.

    """
    try:
        yield
    except AzureError as error:
        status = _status(error)
        if status == HTTPStatus.NOT_FOUND and _code(error) != "ContainerNotFound":
            raise OutputMissing(f"{url} is not there") from None
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise RangeNotSatisfiable(f"{url} has no bytes") from None
        raise _unreachable(url, error) from None


@contextmanager
def reading_errors(url: str) -> Iterator[None]:
    """For a request to one version of a file of GEM.

    Raises:
        OutputChanged: the version was replaced or deleted.
        OutputUnreachable: refused, throttled or no answer.

    """
    try:
        yield
    except AzureError as error:
        if _status(error) in {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND}:
            raise OutputChanged(f"{url} was replaced or deleted while it was read") from None
        raise _unreachable(url, error) from None


def _store_error(store: str, error: AzureError) -> StoreError:
    code, status = _code(error), _status(error)
    if code in _STATE:
        kind, sentence = _STATE[code]
        return kind(sentence.format(store))
    seen = code or status or _types(error)
    if status in _REFUSALS or isinstance(error, ClientAuthenticationError):
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
    if status in _REFUSALS:
        advice = "refused: grant Storage Blob Data Reader, and check the storage firewall"
    elif isinstance(error, ClientAuthenticationError):
        advice = "no credential was accepted: check the identity (of GEM_OUTPUT, or az login)"
    elif status is None:
        advice = "no answer: check the address and the network"
    else:
        advice = _OUTPUT.get(code, "the storage cannot serve it now")
    seen = " ".join(str(part) for part in (status, code, _types(error)) if part)
    return OutputUnreachable(f"{url}: {advice} ({seen})")


def _status(error: AzureError) -> int | None:
    """The HTTP status; None when there was no answer."""
    return error.status_code if isinstance(error, HttpResponseError) else None


def _code(error: AzureError) -> str:
    """Storage's own code, such as "BlobNotFound"; empty for whatever does not look like one.

    The SDK sets it outside of its types, from a header of the answer.
    """
    code = getattr(error, "error_code", None)
    word = str(getattr(code, "value", code) or "")
    return word if _CODE.fullmatch(word) else ""


def _types(error: AzureError) -> str:
    """The error's type, and the type of what caused it where nothing was answered."""
    cause = None if isinstance(error, HttpResponseError) else error.inner_exception
    return ": ".join(type(each).__name__ for each in (error, cause) if each)
