"""What a route reads from a request of the host, which leaves out words of a query without a value.

See GrpcMessageConversionExtensions.cs of Azure/azure-functions-host: the URL has the whole query.
"""

import json
from collections.abc import Mapping

import azure.functions as func
import pytest

from devkit.runner.http_value import read_query
from gem_core.errors import RequestError
from gem_core.host_http import answer, body_of, no_body, route_of
from gem_core.web import json_response


def request(
    query: str, body: bytes = b"", params: Mapping[str, str] | None = None
) -> func.HttpRequest:
    """A request as the host gives it."""
    given = read_query(query) if params is None else params
    url = f"https://app.example/api/redeliver?{query}"
    return func.HttpRequest("POST", url, params=given, body=body)


@pytest.mark.parametrize("query", ["route=", "route", "code=x&route=", "route=&route="])
def test_a_route_without_a_name_is_no_whole_redelivery(query: str) -> None:
    """A script may write `?route=$ROUTE`, and the variable may be empty."""
    assert "route" not in read_query(query)
    with pytest.raises(RequestError, match="route is empty"):
        route_of(request(query))
    with pytest.raises(RequestError, match="route is empty"):
        route_of(request(query, params={"route": ""}))  # a host that leaves out nothing


def test_a_route_is_read_from_the_query() -> None:
    assert route_of(request("route=gem-maps")) == "gem-maps"
    assert route_of(request("code=x")) is None


def test_a_body_that_the_host_has_dropped_is_not_taken_for_an_empty_one() -> None:
    """A client in .NET that calls `PutAsJsonAsync` sends chunks: its labels would be lost."""
    url, chunked = "https://app.example/api/jobs/job-1", {"Transfer-Encoding": "Chunked"}
    with pytest.raises(RequestError, match="Send Content-Length"):
        body_of(func.HttpRequest("PUT", url, headers=chunked, body=b""))
    arrived = func.HttpRequest("PUT", url, headers=chunked, body=b'{"labels": {}}')
    assert body_of(arrived) == {"labels": {}}
    assert body_of(func.HttpRequest("PUT", url, headers={"Content-Length": "0"}, body=b"")) is None
    no_body(func.HttpRequest("POST", url, headers=chunked, body=b""))  # a gateway may add it


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b"null"])
def test_an_empty_body_is_accepted_where_none_is_needed(body: bytes) -> None:
    no_body(request("", body))


def test_a_route_in_the_body_is_no_whole_redelivery() -> None:
    with pytest.raises(RequestError, match=r"\?route=NAME"):
        no_body(request("", b'{"route": "gem-maps"}'))


@pytest.mark.parametrize(
    ("query", "status"),
    [("stage=", 200), ("", 200), ("code=x&clientId=y", 200), ("stages=", 400), ("stages", 400)],
)
def test_an_unknown_word_is_refused_also_without_a_value(query: str, status: int) -> None:
    response = answer(request(query), lambda: json_response(200, {}), {"stage"})
    assert response.status_code == status
    if status > 200:
        assert "'stages': only stage" in json.loads(response.get_body())["detail"]
