"""HTTP without a framework: JSON in, JSON or a document out, errors as problem details (RFC 9457).

Pure.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from gem_core.errors import (
    CourierError,
    DocumentMissing,
    GemError,
    JobUnknown,
    RecordConflict,
    RecordUnreadable,
    RequestError,
    SettingsError,
    StoreError,
)
from gem_core.logs import Event, log
from gem_core.redaction import redacted

MAX_BODY_BYTES = 64 * 1024

_STATUS: tuple[tuple[type[CourierError], HTTPStatus, str], ...] = (
    (JobUnknown, HTTPStatus.NOT_FOUND, "The job is not registered"),
    (DocumentMissing, HTTPStatus.NOT_FOUND, "The job has no such document"),
    (RequestError, HTTPStatus.BAD_REQUEST, "The request is not valid"),
    (RecordConflict, HTTPStatus.CONFLICT, "The job was changed at the same time; try again"),
    (SettingsError, HTTPStatus.INTERNAL_SERVER_ERROR, "The app's settings are missing or invalid"),
    (GemError, HTTPStatus.BAD_GATEWAY, "GEM did not answer about the job"),
    (RecordUnreadable, HTTPStatus.INTERNAL_SERVER_ERROR, "The stored record cannot be read"),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE, "The app's storage cannot be used"),
    (CourierError, HTTPStatus.INTERNAL_SERVER_ERROR, "An error in the app"),
)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response as a value."""

    status: int
    body: str | bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


DOCUMENT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
"""A page is drawn from foreign files. In a browser it runs nothing, loads nothing, and does not
pass on its address, which may contain a key."""


def respond(handler: Callable[[], tuple[int, object]]) -> HttpResponse:
    """The response of a handler, or a problem if the handler raises an error.

    Args:
        handler: returns an HTTP status and a JSON value; None makes an empty body.

    """

    def as_json() -> HttpResponse:
        status, value = handler()
        return HttpResponse(status, "" if value is None else json.dumps(value, allow_nan=False))

    return _respond(as_json)


def respond_document(handler: Callable[[], bytes], content_type: str) -> HttpResponse:
    """The response with a stored document, or a problem if the handler raises an error."""
    return _respond(lambda: HttpResponse(HTTPStatus.OK, handler(), content_type, DOCUMENT_HEADERS))


def _respond(make: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - the client gets a response, the log the chain
        return _problem(error)


def problem(status: HTTPStatus, title: str, detail: str) -> HttpResponse:
    """A response with problem details (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return HttpResponse(status, json.dumps(body), "application/problem+json")


def _problem(error: Exception) -> HttpResponse:
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            event = Event.REQUEST_REFUSED if status < 500 else Event.REQUEST_FAILED  # noqa: PLR2004 - the client's error or the app's
            log(event, status=status, reason=redacted(str(error))[:400])
            text = error.in_full if isinstance(error, GemError) else str(error)
            return problem(status, title, redacted(text))
    log(Event.REQUEST_FAILED, traceback=True, reason=type(error).__name__)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "An error in the app", "The app's log has the details."
    )


HOSTS_OWN = frozenset({"code", "clientId"})
"""Words of a query that the Functions host reads: the key and its name."""


def refuse_unknown_words(query: Iterable[str], known: Collection[str] = ()) -> None:
    """Refuse a query with a word that the route does not know, such as a filter that is misspelt.

    Raises:
        RequestError: the message names the words.

    """
    if unknown := sorted(set(query) - HOSTS_OWN - set(known)):
        names = ", ".join(repr(word[:40]) for word in unknown[:5])
        allowed = f"only {', '.join(sorted(known))} can be in it" if known else "it must be empty"
        raise RequestError(f"the query has {names}: {allowed}")


def json_body(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of a request's body; None when the body is empty.

    Raises:
        RequestError: the body is longer than 64 KiB, not UTF-8 or not JSON.

    """
    if len(body) > MAX_BODY_BYTES:
        raise RequestError(f"the body is longer than {MAX_BODY_BYTES:,} bytes")
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON") from None
