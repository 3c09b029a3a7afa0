"""The HTTP of storage's clients: one deadline for an answer, the environment is read once."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any, NoReturn

import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient
from requests import ConnectionError as NotConnected
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from gem_core.audit.reading.blob_source import open_blob
from gem_core.errors import OutputUnreachable
from gem_core.secret import Secret
from gem_core.settings.connection import Connection
from gem_core.storage import clients
from tests.gem.raw_server import RawServer, Write

HEAD = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\nContent-Range: bytes 0-999/1000\r\n"
    b'ETag: "0x8D1"\r\nLast-Modified: Tue, 20 Jan 2026 10:25:00 GMT\r\n'
    b"x-ms-request-id: 1\r\nx-ms-blob-type: BlockBlob\r\n\r\n"
)
BYTE_SECONDS = 0.05
"""Far below the read timeout, so that only the deadline for the whole answer applies."""


pytestmark = pytest.mark.usefixtures("without_waits")


@pytest.mark.parametrize("at_once", [20, len(HEAD)], ids=["headers", "body"])
def test_a_file_that_comes_byte_by_byte_is_unreachable(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "ANSWER_SECONDS", 0.2)

    def drip(write: Write, over: Event) -> None:
        write(HEAD[:at_once])
        while not over.wait(BYTE_SECONDS):
            write(b"x")

    with RawServer(drip) as server:
        service = clients.blob_service_at(f"{server.url}/account", Secret("sig=secret"))
        with service, pytest.raises(OutputUnreachable):
            open_blob(service.get_container_client("default"), "roads_matched.parquet")


def blobs(connection: Connection) -> Callable[[], object]:
    service: BlobServiceClient = clients.blob_service(connection, connection.blob_service_uri or "")
    return service.get_account_information


def queues(connection: Connection) -> Callable[[], object]:
    service: QueueServiceClient = clients.queue_service(connection)
    return service.get_service_properties


TEXT = "AccountName=a;AccountKey=a2V5;BlobEndpoint=https://{host}/a;QueueEndpoint=https://{host}/a"


@pytest.mark.parametrize("ask", [blobs, queues])
@pytest.mark.parametrize(
    ("host", "proxy"), [("state.example", "http://proxy.example:3128"), ("direct.example", None)]
)
def test_proxies_and_certificates_of_the_environment_are_read_once(
    ask: Callable[[Connection], Callable[[], object]],
    host: str,
    proxy: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    bundle, netrc = tmp_path / "ca.pem", tmp_path / "netrc"
    bundle.touch()
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "direct.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("NETRC", str(netrc))
    sent: list[tuple[PreparedRequest, dict[str, Any]]] = []

    def send(_: HTTPAdapter, request: PreparedRequest, **options: Any) -> NoReturn:  # noqa: ANN401 - requests' own
        sent.append((request, options))
        raise NotConnected("no network")

    monkeypatch.setattr(HTTPAdapter, "send", send)
    request = ask(Connection("GEM_STATE", Secret(TEXT.format(host=host))))
    for name in ("HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name)
    with pytest.raises(AzureError, match="no network"):
        request()
    asked, options = sent[0]
    assert options["verify"] == str(bundle)
    assert options["proxies"].get("https") == proxy
    assert asked.headers["Authorization"].startswith("SharedKey a:")
