"""A proxy, a firewall or a sign-in page answers in place of storage: nothing is concluded."""

from collections.abc import Callable, Iterator

import pytest
from azure.core.pipeline.transport import HttpTransport

from gem_core.audit.reading.blob_source import open_blob
from gem_core.deliver.poison_queue import PoisonQueue
from gem_core.deliver.results_queue import ResultsQueue
from gem_core.errors import OutputUnreachable, StoreError, StoreRefused
from gem_core.secret import Secret
from gem_core.settings.connection import Connection
from gem_core.storage import clients
from gem_core.storage.answers import REQUEST_ID
from gem_core.storage.blob_documents import BlobDocuments
from tests.gem.server import Reply, ScriptedServer

DATE = "Tue, 20 Jan 2026 10:25:00 GMT"
XHTML = b'<?xml version="1.0"?><html><head/><body><p>sign in</p></body></html>'
XML = {"Content-Type": "application/xml"}
VERSION = {"ETag": '"0x1"', "Last-Modified": DATE}
PAGES = {
    "a page": Reply(200, b"<html><p>sign in", {"Content-Type": "text/html"}),
    "a page that is XML": Reply(200, XHTML, XML),
    "nothing": Reply(200),
    "a page with an ETag": Reply(200, b"<html>", VERSION),
    "a page as a range": Reply(206, b"<html>", VERSION | {"Content-Range": "bytes 0-5/6"}),
    "created": Reply(201, b"", VERSION),
    "accepted": Reply(202),
    "proxy sign-in": Reply(407, XHTML, XML),
    "network sign-in": Reply(511, XHTML, XML),
    "not found": Reply(404, headers={"x-ms-error-code": "BlobNotFound"}),
}
"""Some were a document, a write that was done, or an empty queue; others a TypeError of the SDK."""

type Ask = Callable[[Connection], object]


def _documents(connection: Connection) -> BlobDocuments:
    return BlobDocuments(clients.blob_service(connection, "").get_container_client("gem-jobs"))


ASKS: dict[str, Ask] = {
    "get": lambda at: _documents(at).get("a"),
    "etag": lambda at: _documents(at).etag("a"),
    "put": lambda at: _documents(at).put("a", b"x"),
    "create": lambda at: _documents(at).create("a", b"x"),
    "append": lambda at: _documents(at).append("a", b"x"),
    "delete": lambda at: _documents(at).delete("a"),
    "page": lambda at: _documents(at).page(),
    "send": lambda at: ResultsQueue(clients.queue_service(at).get_queue_client("q")).send("x"),
    "count": lambda at: PoisonQueue(clients.queue_service(at).get_queue_client("q")).count(),
    "peek": lambda at: PoisonQueue(clients.queue_service(at).get_queue_client("q")).peek(),
    "take": lambda at: PoisonQueue(clients.queue_service(at).get_queue_client("q")).take(),
}


@pytest.fixture(autouse=True)
def without_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(HttpTransport, "sleep", lambda *_: None)
    yield
    clients.blob_service.cache_clear()
    clients.queue_service.cache_clear()


def storage_at(url: str) -> Connection:
    text = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={url}/a;QueueEndpoint={url}/a"
    return Connection("GEM_STATE", Secret(text))


@pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))
def test_an_answer_of_another_server_is_none(page: Reply) -> None:
    with ScriptedServer(page) as server:
        for ask in ASKS.values():
            with pytest.raises(StoreError, match=r"no answer from storage \(.*NotStorage\)"):
                ask(storage_at(server.url))
        container = clients.blob_service(storage_at(server.url), "").get_container_client("c")
        with pytest.raises(OutputUnreachable, match=r"no answer: .*NotStorage"):
            open_blob(container, "roads.parquet")


REFUSALS = {
    "a firewall's page": Reply(403, b"<html><p>blocked", {"Content-Type": "text/html"}),
    "a page that is XML": Reply(403, XHTML, XML),
    "nothing": Reply(403),
    "with a code of storage": Reply(403, headers={"x-ms-error-code": "BlobNotFound"}),
}


@pytest.mark.parametrize("page", REFUSALS.values(), ids=list(REFUSALS))
def test_a_refusal_of_another_server_is_asked_for_once(page: Reply) -> None:
    """It does not get better within seconds; and nothing is concluded from it."""
    with ScriptedServer(page) as server:
        for number, ask in enumerate(ASKS.values(), 1):
            with pytest.raises(StoreRefused, match="another server on the way refused access"):
                ask(storage_at(server.url))
            assert len(server.asked) == number
        container = clients.blob_service(storage_at(server.url), "").get_container_client("c")
        with pytest.raises(OutputUnreachable, match="another server on the way refused access"):
            open_blob(container, "roads.parquet")
        assert len(server.asked) == len(ASKS) + 1


@pytest.mark.parametrize("name", ASKS)
def test_a_refusal_of_storage_is_asked_for_once(name: str) -> None:
    """Such as that of its own firewall."""
    headers = {REQUEST_ID: "1", "x-ms-error-code": "AuthorizationFailure"}
    with (
        ScriptedServer(Reply(403, headers=headers)) as server,
        pytest.raises(StoreRefused, match=r"storage refused \(AuthorizationFailure\)"),
    ):
        ASKS[name](storage_at(server.url))
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", ASKS)
def test_no_redirect_is_followed(name: str, status: int) -> None:
    """Not even with storage's header."""
    with ScriptedServer(Reply(200, b"<html>")) as other:
        redirect = Reply(status, headers={"Location": f"{other.url}/sign-in", REQUEST_ID: "1"})
        with ScriptedServer(redirect) as server, pytest.raises(StoreError, match=f" {status}$"):
            ASKS[name](storage_at(server.url))
        assert other.asked == []
