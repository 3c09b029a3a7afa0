"""Tells storage's answers from those of other servers. Edge: requests.

A proxy, a firewall or a sign-in page on the way may answer in storage's place, with any status. The
SDK would take some of these answers for storage's: a queue without messages, a write that was done.
For others it raises errors of any type.
"""

from http import HTTPStatus
from io import BytesIO

from requests import RequestException, Response

from gem_core.storage.errors import NOT_STORAGE

REQUEST_ID = "x-ms-request-id"
"""The header that each answer of storage has, whatever its status ("Common REST API response
headers", Azure Storage)."""


class NotStorage(RequestException):
    """Another server has answered. To the SDK this is a broken connection, so it asks again."""


def refuse_others(response: Response, *_: object, **__: object) -> None:
    """Raise NotStorage for an answer of another server; a hook of requests ("response").

    A refusal (403) does not change within seconds, so the SDK must not ask again. It gets the
    status, but nothing else that the other server said.
    """
    if REQUEST_ID in response.headers:
        return
    response.close()
    if response.status_code != HTTPStatus.FORBIDDEN:
        raise NotStorage(f"an answer without {REQUEST_ID}")
    response.headers.clear()
    response.headers["x-ms-error-code"] = NOT_STORAGE
    response.raw = BytesIO()
