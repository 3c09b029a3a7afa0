"""Connections: every way to fail, keep-alive, and clients that go away."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Event
from urllib.parse import urlsplit

import pytest
import requests

from devkit.simulator import LIVES, Life, SimulatorSettings, Trouble
from devkit.simulator.server import SimulatorServer
from tests.devkit.simulator_client import SimulatorClient


@pytest.fixture
def client() -> Iterator[SimulatorClient]:
    client = SimulatorClient(SimulatorSettings(hold_seconds=0.01))
    with client.simulator, client.session:
        yield client


def test_a_flaky_job_fails_in_every_way_and_then_answers(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1", LIVES["flaky"])
    assert client.get("job-1").status_code == 500
    for _ in ("no answer", "reset"):
        with pytest.raises(requests.ConnectionError):
            client.get("job-1")
    broken = client.get("job-1")
    assert broken.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        broken.json()
    assert client.get("job-1").headers["Content-Type"].startswith("text/html")
    assert client.get("job-1").json()["status"] == "queued"
    assert [asked.status for asked in client.simulator.requests] == [500, 0, 0, 200, 200, 200]


def test_a_reset_is_a_reset(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1", Life("reset", troubles=(Trouble.RESET,)))
    url = f"{client.simulator.url}/jobs/job-1".removeprefix(client.simulator.origin)
    lines = [f"GET {url} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in client.headers().items())]
    port = int(client.simulator.origin.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_no_answer_outlasts_the_read_timeout_and_stopping_does_not_wait_for_it() -> None:
    client = SimulatorClient(SimulatorSettings(hold_seconds=3600))
    with client.simulator, client.session:
        client.simulator.add_job("job-1", Life("silent", troubles=(Trouble.NO_ANSWER,)))
        url = f"{client.simulator.url}/jobs/job-1"
        with pytest.raises(requests.ReadTimeout):
            client.session.get(url, timeout=(10, 0.05))


def test_stopping_closes_a_connection_whose_thread_has_not_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accepted, may_begin = Event(), Event()
    begin = SimulatorServer.process_request_thread

    def late(self: SimulatorServer, *connection: object) -> None:
        accepted.set()
        may_begin.wait()
        begin(self, *connection)

    monkeypatch.setattr(SimulatorServer, "process_request_thread", late)
    client = SimulatorClient()
    client.simulator.__enter__()
    port = int(client.simulator.origin.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as raw,
        ThreadPoolExecutor(1) as pool,
    ):
        accepted.wait()
        stopped = pool.submit(client.simulator.__exit__, None, None, None)
        try:
            assert raw.recv(1) == b""
        finally:
            may_begin.set()
        stopped.result()


def test_too_many_requests_names_when_to_come_back(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1", Life("busy", troubles=(Trouble.TOO_MANY,)))
    answer = client.get("job-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_one_connection_serves_many_requests_also_after_a_refused_body(
    client: SimulatorClient,
) -> None:
    client.simulator.add_job("job-1")
    base = urlsplit(client.simulator.url)
    connection = HTTPConnection(base.netloc, timeout=60)
    connection.connect()
    first = connection.sock
    for method, path, body, status in (
        ("POST", "/jobs", b"x" * 5000, 400),
        ("GET", "/jobs/job-1", None, 200),
        ("GET", "/jobs/job-2", None, 404),
    ):
        connection.request(method, base.path + path, body, client.headers())
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert connection.sock is first
    connection.close()


def test_a_client_that_goes_away_leaves_the_server_well(
    client: SimulatorClient, capfd: pytest.CaptureFixture[str]
) -> None:
    client.simulator.add_job("job-1")
    port = int(client.simulator.origin.rpartition(":")[2])
    for sent in (b"", b"GET /maps", b"POST /token HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
            raw.sendall(sent)
    assert client.get("job-1").status_code == 200
    assert capfd.readouterr().err == ""
