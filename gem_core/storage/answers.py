"""Tells storage's answers from those of other servers. Edge: requests.

A proxy, a firewall or a sign-in page on the way may answer in storage's place, with any status. The
SDK would take some of these answers for storage's: a queue without messages, a write that was done.
For others it raises errors of any type.
"""

from requests import RequestException, Response

REQUEST_ID = "x-ms-request-id"
"""The header that each answer of storage has, whatever its status ("Common REST API response
headers", Azure Storage)."""


class NotStorage(RequestException):
    """Another server has answered. To the SDK this is a broken connection, so it asks again."""


def refuse_others(response: Response, *_: object, **__: object) -> None:
    """Raise NotStorage for an answer of another server; a hook of requests ("response")."""
    if REQUEST_ID not in response.headers:
        response.close()
        raise NotStorage(f"an answer without {REQUEST_ID}")
