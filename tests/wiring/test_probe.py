"""Health and status answer in time, whatever storage does."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from threading import Event

import azure.functions as func
import pytest

from gem_core import functions
from gem_core.errors import StoreError
from gem_core.storage.clients import Retries
from gem_core.wiring import probe
from tests.loopback import Handler, Loopback
from tests.wiring.fresh import NEEDED, forget_edges

REQUEST = func.HttpRequest("GET", "http://127.0.0.1/api/status", body=b"")


class Stall:
    """A storage that takes every request and answers none, until `answer` is set."""

    def __init__(self) -> None:
        stall = self
        self.answer = Event()
        self.requests = 0

        class Stalled(Handler):
            def do_GET(self) -> None:  # noqa: N802 - the library's name
                stall.requests += 1
                stall.answer.wait()
                self.close_connection = True

        self.handler: type[BaseHTTPRequestHandler] = Stalled


@pytest.fixture
def stall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stall]:
    stalled = Stall()
    forget_edges()
    with Loopback(stalled.handler) as server:
        state = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={server.url}/a;"
        state += f"QueueEndpoint={server.url}/a"
        monkeypatch.setattr("os.environ", NEEDED | {"GEM_STATE": state})
        yield stalled
        stalled.answer.set()
        # What was given up goes on, and builds what a later test would find.
        for each in threading.enumerate():
            if each.name.startswith("probe"):
                each.join()
    forget_edges()


def test_the_answer_comes_within_three_seconds() -> None:
    assert probe.SECONDS < 3


def test_a_request_of_a_probe_ends_soon_and_is_not_repeated() -> None:
    """So that the threads of probes that were given up end too."""
    assert Retries.PROBE.options == {
        "retry_total": 0,
        "connection_timeout": 2,
        "read_timeout": 2,
    }


def test_a_probe_asks_a_storage_that_drops_connections_once(
    stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "SECONDS", 60)
    stall.answer.set()
    with pytest.raises(StoreError):
        probe.probe()
    assert stall.requests == 1


def test_health_and_status_do_not_wait_for_a_storage_that_stalls(
    stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "SECONDS", 0.05)
    health = functions.health.build().get_user_function()
    status = functions.status.build().get_user_function()
    answers = [health(REQUEST), status(REQUEST)]
    assert not stall.answer.is_set()
    assert [answer.status_code for answer in answers] == [503, 503]
    assert json.loads(answers[0].get_body()) == {"status": "unhealthy"}
    assert json.loads(answers[1].get_body())["detail"] == (
        "storage did not answer within 0.05 seconds"
    )


def test_work_in_time_gives_its_result_or_its_error() -> None:
    assert probe.within(60, lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        probe.within(60, lambda: 1 / 0)
    ended = Event()
    with pytest.raises(StoreError, match=r"0\.01 seconds"):
        probe.within(0.01, lambda: ended.wait(60))
    ended.set()


@pytest.mark.parametrize("schedule", [{}, {"GEM_CHECK_SCHEDULE": "0\t* * * * *"}])
def test_status_names_a_schedule_with_which_the_host_starts_no_timer(
    monkeypatch: pytest.MonkeyPatch, schedule: dict[str, str]
) -> None:
    monkeypatch.setattr(probe, "SECONDS", 60)  # not what is tested here
    given = {name: value for name, value in NEEDED.items() if name != "GEM_CHECK_SCHEDULE"}
    monkeypatch.setattr("os.environ", given | schedule)
    forget_edges()
    answer = functions.status.build().get_user_function()(REQUEST)
    forget_edges()
    assert answer.status_code == 500
    assert "GEM_CHECK_SCHEDULE is" in json.loads(answer.get_body())["detail"]
