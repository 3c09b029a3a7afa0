"""The webhook of the blobs extension, through which Event Grid tells about blobs.

Source of the rules: HttpRequestProcessor of the extension, and runs of it (tests/devkit/beside).
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from devkit.runner.blob_message import BlobMessage, message_of_event
from devkit.runner.http_value import Request, Response


def answer_webhook(request: Request, post: Callable[[BlobMessage], None]) -> Response:
    """Answer a request, and post a message for each event before the first bad one.

    The host answers 500 to what it cannot read, and takes any method.
    """
    if request.method == "OPTIONS":
        return Response(HTTPStatus.OK, {"WebHook-Allowed-Origin": "eventgrid.azure.net"})
    kind = request.headers.get("aeg-event-type", "").lower()
    try:
        if kind == "subscriptionvalidation":
            return _handshake(request.body)
        if kind == "notification":
            for event in _events(request.body):
                post(message_of_event(event, request.query.get("functionName", "")))
    except (ValueError, LookupError, TypeError) as error:
        return Response.text(HTTPStatus.INTERNAL_SERVER_ERROR, f"not an event: {error}")
    known = kind in {"notification", "unsubscribe"}
    return Response(HTTPStatus.ACCEPTED if known else HTTPStatus.BAD_REQUEST)


def _handshake(body: bytes) -> Response:
    code = _events(body)[0]["data"]["validationCode"]
    return Response.text(
        HTTPStatus.OK, json.dumps({"validationResponse": code}, separators=(",", ":"))
    )


def _events(body: bytes) -> list[Any]:
    """The events of an array; a single object is taken as one event."""
    events = json.loads(body)
    if isinstance(events, dict):
        return [events]
    if not isinstance(events, list):
        raise TypeError("a JSON array of objects is expected")
    return events
