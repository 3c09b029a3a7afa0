"""The app's storage throttles or breaks off: what the SDK does with the app's options.

Azurite behind a proxy that refuses writes, so that the test can read the final state.
"""

import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from azure.core.pipeline.transport import HttpTransport
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from devkit.azurite import Azurite
from gem_core.deliver.results_queue import ResultsQueue
from gem_core.errors import RecordConflict, StoreError
from gem_core.secret import Secret
from gem_core.settings.connection import Connection
from gem_core.storage.answers import REQUEST_ID
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.clients import blob_service, queue_service
from gem_core.storage.documents import Documents
from tests.integration.proxy import Proxy, When

BLOBS, QUEUES = "BlobEndpoint", "QueueEndpoint"
BUSY = (503, "ServerBusy")
ASKED_SECONDS = 77


class Throttled(Proxy):
    """Refuses the first writes; the service does not see them."""

    def __init__(self, target: str, *refusals: tuple[int, str]) -> None:
        super().__init__(target, matches=lambda *_: False, when=When.BEFORE)
        self.refusals = list(refusals)
        self.writes = 0

    def pass_on(self, caller: BaseHTTPRequestHandler) -> None:
        if caller.command in {"PUT", "POST"}:
            self.writes += 1
            if self.refusals:
                self._refuse(caller, *self.refusals.pop(0))
                return
        super().pass_on(caller)

    def _refuse(self, caller: BaseHTTPRequestHandler, status: int, code: str) -> None:
        caller.rfile.read(int(caller.headers.get("Content-Length") or 0))
        caller.send_response_only(status)
        caller.send_header(REQUEST_ID, "1")
        caller.send_header("x-ms-error-code", code)
        caller.send_header("Retry-After", str(ASKED_SECONDS))
        caller.send_header("Content-Length", "0")
        caller.end_headers()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How long the SDK would have waited each time, seconds."""
    waited: list[float] = []
    monkeypatch.setattr(HttpTransport, "sleep", lambda _, seconds: waited.append(seconds))
    yield waited
    blob_service.cache_clear()
    queue_service.cache_clear()


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    name = f"c{uuid.uuid4().hex}"
    with ContainerClient.from_connection_string(azurite.connection_string, name) as container:
        container.create_container()
        yield container


@pytest.fixture
def queue(azurite: Azurite) -> Iterator[QueueClient]:
    name = f"q{uuid.uuid4().hex}"
    with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
        queue.create_queue()
        yield queue


def documents(azurite: Azurite, proxy: Proxy, container: ContainerClient) -> BlobDocuments:
    """The container as the app would have it, through the proxy."""
    behind = proxy.instead_of(azurite.connection_string, BLOBS)
    service = blob_service(Connection("GEM_STATE", Secret(behind)), "")
    return BlobDocuments(service.get_container_client(container.container_name))


def results(azurite: Azurite, proxy: Proxy, queue: QueueClient) -> ResultsQueue:
    """The queue as the app would have it, through the proxy."""
    behind = proxy.instead_of(azurite.connection_string, QUEUES)
    service = queue_service(Connection("GEM_STATE", Secret(behind)))
    return ResultsQueue(service.get_queue_client(queue.queue_name))


def bodies(queue: QueueClient) -> list[str]:
    return [message.content for message in queue.receive_messages()]


def test_a_record_is_written_once_storage_is_no_longer_busy(
    azurite: Azurite, container: ContainerClient, waits: list[float]
) -> None:
    """Three retries with longer and longer waits; the wait that storage asks for is ignored."""
    old = BlobDocuments(container).create("job-1.json", b"old")
    with Throttled(azurite.blob_uri, BUSY, BUSY, BUSY) as proxy:
        etag = documents(azurite, proxy, container).replace("job-1.json", b"new", etag=old)
    held = BlobDocuments(container).get("job-1.json")
    assert held
    assert (held.body, held.etag, proxy.writes) == (b"new", etag, 4)
    assert len(waits) == 3
    assert 0 <= waits[0] <= 6 <= waits[2] <= 12 < ASKED_SECONDS


@pytest.mark.parametrize(
    ("refusals", "tries"), [([BUSY] * 9, 4), ([(429, "TooManyRequests")], 1)], ids=["503", "429"]
)
def test_a_record_that_could_not_be_written_is_as_it_was(
    azurite: Azurite, container: ContainerClient, refusals: list[tuple[int, str]], tries: int
) -> None:
    """The write raises an error, and the next tick or event tries again."""
    old = BlobDocuments(container).create("job-1.json", b"old")
    with Throttled(azurite.blob_uri, *refusals) as proxy:
        stored = documents(azurite, proxy, container)
        with pytest.raises(StoreError, match=refusals[0][1]) as caught:
            stored.replace("job-1.json", b"new", etag=old)
        assert not isinstance(caught.value, RecordConflict)
        held = stored.get("job-1.json")
    assert held
    assert (held.body, held.etag, proxy.writes) == (b"old", old, tries)


def test_a_message_is_put_once_when_the_queue_is_no_longer_busy(
    azurite: Azurite, queue: QueueClient
) -> None:
    with Throttled(azurite.queue_uri, BUSY, BUSY, BUSY) as proxy:
        results(azurite, proxy, queue).send("manifest")
    assert (bodies(queue), proxy.writes) == (["manifest"], 4)


def test_a_message_that_could_not_be_sent_is_an_error(azurite: Azurite, queue: QueueClient) -> None:
    with Throttled(azurite.queue_uri, *[BUSY] * 9) as proxy:
        sender = results(azurite, proxy, queue)
        with pytest.raises(StoreError, match="ServerBusy"):
            sender.send("manifest")
    assert bodies(queue) == []


def lost_answer(target: str) -> Proxy:
    """The first write is done, and the connection ends without an answer."""
    proxy = Proxy(target, matches=lambda method, _: method in {"PUT", "POST"}, when=When.AFTER)
    proxy.act = lambda: None
    return proxy


type Write = Callable[[Documents, str], str]
CONDITIONAL: dict[str, Write] = {
    "create": lambda documents, _: documents.create("new.json", b"new", metadata={"a": "b"}),
    "replace": lambda documents, old: documents.replace("old.json", b"new", etag=old),
    "put": lambda documents, _: documents.put("old.json", b"new"),
    "an empty one": lambda documents, old: documents.replace("old.json", b"", etag=old),
}


@pytest.mark.parametrize("write", CONDITIONAL.values(), ids=list(CONDITIONAL))
def test_a_write_whose_answer_was_lost_is_recognised_as_our_own(
    azurite: Azurite, container: ContainerClient, write: Write
) -> None:
    """The SDK writes again and meets its own first try."""
    direct = BlobDocuments(container)
    old = direct.create("old.json", b"old")
    with lost_answer(azurite.blob_uri) as proxy:
        etag = write(documents(azurite, proxy, container), old)
        assert proxy.acted
    assert etag in {each.etag for each in direct.every()} - {old}
    assert all("write" not in each.metadata for each in direct.every())


@pytest.mark.parametrize("name", ["create", "replace"])
def test_a_write_of_somebody_else_is_not_our_own(
    azurite: Azurite, container: ContainerClient, name: str
) -> None:
    """Its content is the same, and the SDK had to repeat our write."""
    direct = BlobDocuments(container)
    old = direct.create("old.json", b"old")
    proxy = Proxy(azurite.blob_uri, matches=lambda method, _: method == "PUT", when=When.BEFORE)
    with proxy:

        def overtake() -> None:
            CONDITIONAL[name](direct, old)

        proxy.act = overtake
        with pytest.raises(RecordConflict):
            CONDITIONAL[name](documents(azurite, proxy, container), old)
        assert proxy.acted


def test_a_conflict_without_a_repeat_costs_no_request_more(
    azurite: Azurite, container: ContainerClient
) -> None:
    direct = BlobDocuments(container)
    direct.create("new.json", b"new")
    seen: list[str] = []

    def see(method: str, _: str) -> bool:
        seen.append(method)
        return False

    with (
        Proxy(azurite.blob_uri, matches=see, when=When.AFTER) as proxy,
        pytest.raises(RecordConflict),
    ):
        documents(azurite, proxy, container).create("new.json", b"new")
    assert seen == ["PUT"]


def test_a_message_whose_answer_was_lost_is_there_twice(
    azurite: Azurite, queue: QueueClient
) -> None:
    """Byte for byte: listeners drop the second by its id."""
    with lost_answer(azurite.queue_uri) as proxy:
        results(azurite, proxy, queue).send("manifest")
    assert bodies(queue) == ["manifest", "manifest"]
