"""Converts HTTP requests and responses to and from the worker's types. Pure.

Source: the host's conversion of HttpRequest to RpcHttp. Header names are in lower case, repeated
query values are joined by commas, and empty query values are omitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from urllib.parse import parse_qsl

from devkit.runner.worker import Answer, TypedData


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request with its complete body."""

    method: str
    url: str
    """The absolute URL with the query."""
    path: str
    """As received, percent-encoded, without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def key(self) -> str:
        """The key of the request, or empty. A header beats the query, even if its key is wrong."""
        return self.headers.get("x-functions-key") or self.query.get("code") or ""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def text(cls, status: HTTPStatus, text: str = "") -> "Response":
        """A plain-text response of the runner itself."""
        return cls(status, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())


def read_query(text: str) -> dict[str, str]:
    """The query parameters in the form that the host passes to the worker."""
    query: dict[str, str] = {}
    for name, value in parse_qsl(text):
        query[name] = f"{query[name]},{value}" if name in query else value
    return query


def request_value(request: Request, parameters: Mapping[str, str]) -> TypedData:
    """The trigger's value for a request that matched a route."""
    http = SimpleNamespace(
        method=request.method,
        url=request.url,
        headers=request.headers,
        params=parameters,
        query=request.query,
        body=TypedData(bytes=request.body),
    )
    return TypedData(http=http)


def response_of(answer: Answer) -> Response:
    """The response of a function. If it failed, 500 without a body, as in the host."""
    if not answer.succeeded:
        return Response(HTTPStatus.INTERNAL_SERVER_ERROR)
    returned = answer.returned
    kind = returned.WhichOneof("data") if returned else None
    if returned is None or kind is None:
        return Response(HTTPStatus.NO_CONTENT)
    if kind != "http":
        return Response.text(HTTPStatus.OK, str(getattr(returned, kind)))
    http = returned.http
    return Response(int(http.status_code), http.headers, http.body.bytes)
