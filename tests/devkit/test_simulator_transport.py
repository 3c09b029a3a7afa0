"""Connections: every way to fail, keep-alive, and clients that go away."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from devkit.simulator import LIVES, Life, SimulatorSettings, Trouble
from tests.devkit.simulator_desk import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(SimulatorSettings(hold_seconds=0.01))
    with desk.simulator, desk.session:
        yield desk


def test_a_flaky_job_fails_in_every_way_and_then_answers(desk: Desk) -> None:
    desk.simulator.add_job("job-1", LIVES["flaky"])
    assert desk.get("job-1").status_code == 500
    for _ in ("no answer", "reset"):
        with pytest.raises(requests.ConnectionError):
            desk.get("job-1")
    broken = desk.get("job-1")
    assert broken.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        broken.json()
    assert desk.get("job-1").headers["Content-Type"].startswith("text/html")
    assert desk.get("job-1").json()["status"] == "queued"
    assert [asked.status for asked in desk.simulator.requests] == [500, 0, 0, 200, 200, 200]


def test_a_reset_is_a_reset(desk: Desk) -> None:
    desk.simulator.add_job("job-1", Life("reset", troubles=(Trouble.RESET,)))
    url = f"{desk.simulator.url}/jobs/job-1".removeprefix(desk.simulator.origin)
    lines = [f"GET {url} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in desk.headers().items())]
    port = int(desk.simulator.origin.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_no_answer_outlasts_the_read_timeout_and_stopping_does_not_wait_for_it() -> None:
    desk = Desk(SimulatorSettings(hold_seconds=3600))
    with desk.simulator, desk.session:
        desk.simulator.add_job("job-1", Life("silent", troubles=(Trouble.NO_ANSWER,)))
        url = f"{desk.simulator.url}/jobs/job-1"
        with pytest.raises(requests.ReadTimeout):
            desk.session.get(url, timeout=(10, 0.05))


def test_too_many_requests_names_when_to_come_back(desk: Desk) -> None:
    desk.simulator.add_job("job-1", Life("busy", troubles=(Trouble.TOO_MANY,)))
    answer = desk.get("job-1")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_one_connection_serves_many_requests_also_after_a_refused_body(desk: Desk) -> None:
    desk.simulator.add_job("job-1")
    base = urlsplit(desk.simulator.url)
    connection = HTTPConnection(base.netloc, timeout=10)
    connection.connect()
    first = connection.sock
    for method, path, body, status in (
        ("POST", "/jobs", b"x" * 5000, 400),
        ("GET", "/jobs/job-1", None, 200),
        ("GET", "/jobs/job-2", None, 404),
    ):
        connection.request(method, base.path + path, body, desk.headers())
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert connection.sock is first
    connection.close()


def test_a_client_that_goes_away_leaves_the_server_well(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    desk.simulator.add_job("job-1")
    port = int(desk.simulator.origin.rpartition(":")[2])
    for sent in (b"", b"GET /maps", b"POST /token HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(sent)
    assert desk.get("job-1").status_code == 200
    assert capfd.readouterr().err == ""
