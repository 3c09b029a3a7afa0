"""What the HTTP endpoints share: from the host's request to its response, by way of `web`. Edge."""

from collections.abc import Callable, Collection
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func

from gem_core.errors import RequestError
from gem_core.flows.job_documents import JobDocument, show_document
from gem_core.flows.manage_jobs import JobManager
from gem_core.web import (
    HttpResponse,
    document_response,
    json_body,
    json_response,
    refuse_unknown_words,
    respond_with,
)
from gem_core.wiring import managers

ROUTE = "route"
"""The word of a query that names a route of GEM_RESULTS_ROUTES."""


def job_run_id_of(req: func.HttpRequest) -> str:
    """The job that the path names."""
    return str(req.route_params.get("jobRunId", ""))


def route_of(req: func.HttpRequest) -> str | None:
    """The route that the query names; None without one.

    Raises:
        RequestError: the word has no value, as after `?route=$ROUTE` with an empty variable. As if
            it was absent, that would deliver the jobs again to every route.

    """
    route: str | None = req.params.get(ROUTE)
    if not route and ROUTE in _words_of(req):
        raise RequestError("route is empty: name a route, or leave the word out for all routes")
    return route


def no_body(req: func.HttpRequest) -> None:
    """Refuse a body, such as one that names a route. Raises RequestError."""
    if json_body(req.get_body()):
        raise RequestError("the body must be empty: the query names a route, as ?route=NAME")


def _words_of(req: func.HttpRequest) -> set[str]:
    """The words of the query. The host leaves out those without a value; its URL has them."""
    return {word for word, _ in parse_qsl(urlsplit(req.url).query, keep_blank_values=True)}


def body_of(req: func.HttpRequest) -> object:
    """The JSON of the body.

    Raises:
        RequestError: it is not JSON, or it was lost: the host drops a body that comes in chunks
            (issue 7930 of Azure/azure-functions-host).

    """
    body = req.get_body()
    if not body and "chunked" in req.headers.get("transfer-encoding", "").lower():
        raise RequestError(
            "there is no body: the Functions host drops one that comes in chunks (header "
            "Transfer-Encoding). Send Content-Length"
        )
    return json_body(body)


def document(req: func.HttpRequest, kind: JobDocument, content_type: str) -> func.HttpResponse:
    """The response with a document of the job that the path names."""

    def make() -> HttpResponse:
        body = show_document(managers.manager(), job_run_id_of(req), kind)
        return document_response(body, content_type)

    return answer(req, make)


def managed(
    req: func.HttpRequest,
    action: Callable[[JobManager], object],
    *,
    status: int = 200,
    words: Collection[str] = (),
) -> func.HttpResponse:
    """The response with what an action gives, if the query has no other words than these."""
    return answer(req, lambda: json_response(status, action(managers.manager())), words)


def respond_to(
    req: func.HttpRequest, handler: Callable[[], tuple[int, object]]
) -> func.HttpResponse:
    """The response with the status and the JSON that a handler gives."""
    return answer(req, lambda: json_response(*handler()))


def answer(
    req: func.HttpRequest, make: Callable[[], HttpResponse], words: Collection[str] = ()
) -> func.HttpResponse:
    """The response that a function makes, if the query has no other words than these."""

    def checked() -> HttpResponse:
        refuse_unknown_words(_words_of(req), words)
        return make()

    response = respond_with(checked)
    return func.HttpResponse(
        response.body,
        status_code=response.status,
        headers=response.headers,
        mimetype=response.content_type,
    )
