"""What storage's answer to a failed request means. Edge: azure.core.

Source: "Status and error codes" (Azure Storage REST).
"""

import re
from http import HTTPStatus

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)

from gem_core.errors import StoreError, StoreMissing, StoreRefused

_CODE = re.compile("[A-Za-z]{1,64}", re.ASCII)
"""All that we can meet are letters, 50 at most; two more, about an MD5, have a digit."""


def status_of(error: AzureError) -> int | None:
    """The HTTP status; None when there was no answer."""
    return error.status_code if isinstance(error, HttpResponseError) else None


def code_of(error: AzureError) -> str:
    """Storage's own word, such as "BlobNotFound"; the SDK adds it outside of its types.

    What is no such word is as good as none. It comes from the answer as it is, and a server or
    proxy that repeats the address in it would bring a signature into our messages.
    """
    code = getattr(error, "error_code", None)
    word = str(getattr(code, "value", code) or "")
    return word if _CODE.fullmatch(word) else ""


def is_refusal(error: AzureError) -> bool:
    """Whether who asks was refused, or has no credential at all."""
    return (
        isinstance(error, ClientAuthenticationError)
        or status_of(error) in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    )  # fmt: skip


def queue_error(name: str, error: AzureError) -> StoreError:
    """A queue's error as ours, one for each way on."""
    if isinstance(error, ResourceNotFoundError):
        return StoreMissing(
            f"queue {name!r} does not exist in GEM_STATE: create it (the infrastructure does so)"
        )
    said = code_of(error) or type(error).__name__
    if is_refusal(error):
        return StoreRefused(
            f"queue {name!r}: storage refused ({said}): check the identity or key of GEM_STATE, "
            "its role, and the storage firewall"
        )
    return StoreError(f"queue {name!r}: {said}")
