"""HTTP without a framework: JSON in, JSON out, errors as problem details (RFC 9457). Pure."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gem_core.errors import (
    CourierError,
    GemError,
    JobUnknown,
    RecordConflict,
    RecordUnreadable,
    RequestError,
    SettingsError,
    StoreError,
)
from gem_core.logs import Event, log

MAX_BODY_BYTES = 64 * 1024

_STATUS: tuple[tuple[type[CourierError], HTTPStatus, str], ...] = (
    (JobUnknown, HTTPStatus.NOT_FOUND, "The job is not registered"),
    (RequestError, HTTPStatus.BAD_REQUEST, "The request cannot be served as it stands"),
    (RecordConflict, HTTPStatus.CONFLICT, "The job changed meanwhile; try again"),
    (SettingsError, HTTPStatus.INTERNAL_SERVER_ERROR, "The app's settings need mending"),
    (GemError, HTTPStatus.BAD_GATEWAY, "GEM could not be asked"),
    (RecordUnreadable, HTTPStatus.INTERNAL_SERVER_ERROR, "What is stored cannot be read"),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE, "The app's storage cannot be used"),
    (CourierError, HTTPStatus.INTERNAL_SERVER_ERROR, "An error in the app"),
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer as a value."""

    status: int
    body: str
    content_type: str = "application/json"


def answer(story: Callable[[], tuple[int, object]]) -> HttpAnswer:
    """What a story gives, or the problem that it raised.

    Args:
        story: gives a status and a JSON value; None is an empty body.

    """
    try:
        status, value = story()
        return HttpAnswer(status, "" if value is None else json.dumps(value, allow_nan=False))
    except Exception as error:  # noqa: BLE001 - the caller gets an answer, the log the traceback
        return _problem(error)


def problem(status: HTTPStatus, title: str, detail: str) -> HttpAnswer:
    """A problem in the form of RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return HttpAnswer(status, json.dumps(body), "application/problem+json")


def _problem(error: Exception) -> HttpAnswer:
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            event = Event.REQUEST_REFUSED if status < 500 else Event.REQUEST_FAILED  # noqa: PLR2004 - their fault or ours
            log(event, status=status, reason=str(error)[:400])
            return problem(status, title, str(error))
    log(Event.REQUEST_FAILED, traceback=True, reason=type(error).__name__)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "An error in the app", "The log holds the traceback."
    )


def json_body(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON of a request; None when the body is empty.

    Raises:
        RequestError: it is too long, not UTF-8 or not JSON.

    """
    if len(body) > MAX_BODY_BYTES:
        raise RequestError(f"the body is longer than {MAX_BODY_BYTES:,} bytes")
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON") from None
