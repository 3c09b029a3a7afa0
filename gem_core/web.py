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
    StageForbids,
    StoreError,
)
from gem_core.logs import Event, log
from gem_core.redaction import redacted

MAX_BODY_BYTES = 64 * 1024

TYPE_PREFIX = "urn:gem-courier:problem:"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem; docs/problems.md has a section about it, with this name."""

    name: str
    status: int
    title: str


PROBLEMS: tuple[tuple[type[CourierError], ProblemType], ...] = (
    (JobUnknown, ProblemType("job-unknown", 404, "The job is not registered")),
    (DocumentMissing, ProblemType("document-missing", 404, "The job has no such document")),
    (StageForbids, ProblemType("stage-forbids", 409, "The stage of the job does not allow this")),
    (RequestError, ProblemType("request-invalid", 400, "The request is not valid")),
    (RecordConflict, ProblemType("job-changed", 409, "The job was changed at the same time")),
    (SettingsError, ProblemType("settings-invalid", 500, "Settings are missing or invalid")),
    (GemError, ProblemType("gem-unanswered", 502, "GEM did not answer about the job")),
    (RecordUnreadable, ProblemType("record-unreadable", 500, "The stored record cannot be read")),
    (StoreError, ProblemType("storage-failed", 503, "The app's storage cannot be used")),
    (CourierError, ProblemType("app-failed", 500, "An error in the app")),
)
"""The first one whose class an error has. The last one is for any other error too."""


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
    return respond_with(lambda: json_response(*handler()))


def respond_with(make: Callable[[], HttpResponse]) -> HttpResponse:
    """The response that a function makes, or a problem if it raises an error."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - the client gets a response, the log the chain
        return _problem(error)


def json_response(
    status: int, value: object, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A response with a JSON value, or an empty one for None."""
    body = "" if value is None else json.dumps(value, allow_nan=False)
    return HttpResponse(status, body, headers=headers or {})


def document_response(body: bytes, content_type: str) -> HttpResponse:
    """A response with a document."""
    return HttpResponse(HTTPStatus.OK, body, content_type, DOCUMENT_HEADERS)


def problem(kind: ProblemType, detail: str) -> HttpResponse:
    """A response with problem details (RFC 9457)."""
    body = {
        "type": TYPE_PREFIX + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }
    return HttpResponse(kind.status, json.dumps(body), "application/problem+json")


def _problem(error: Exception) -> HttpResponse:
    for known, kind in PROBLEMS:
        if isinstance(error, known):
            event = Event.REQUEST_REFUSED if kind.status < 500 else Event.REQUEST_FAILED  # noqa: PLR2004 - the client's error or the app's
            log(event, status=kind.status, reason=redacted(str(error))[:400])
            text = error.in_full if isinstance(error, GemError) else str(error)
            return problem(kind, redacted(text))
    log(Event.REQUEST_FAILED, traceback=True, reason=type(error).__name__)
    return problem(PROBLEMS[-1][1], "The app's log has the details.")


HOSTS_OWN = frozenset({"code", "clientId"})
"""Words of a query that the Functions host reads: the key and its name."""


def refuse_unknown_words(query: Iterable[str], known: Collection[str] = ()) -> None:
    """Refuse a query with a word that the endpoint does not know, such as a misspelt filter.

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
    except json.JSONDecodeError as error:
        raise RequestError(
            f"the body is not JSON: {error.msg} (character {error.pos + 1})"
        ) from None
    except UnicodeDecodeError:
        raise RequestError("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON that can be read") from None
