"""The runner's end comes after what it says about the last calls."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import override
from unittest.mock import Mock

import pytest

from devkit.runner import host as hosts
from devkit.runner.host import Host
from devkit.runner.worker import Answer, TypedData


class Late(logging.Handler):
    """Lets the host be stopped while it logs the end of a call, and keeps the order."""

    def __init__(self, host: Host, pool: ThreadPoolExecutor) -> None:
        super().__init__()
        self.order: list[str] = []
        self.stopping: list[Future[None]] = []
        self._host = host
        self._pool = pool

    def _stop(self) -> None:
        self._host.stop()
        self.order.append("stopped")

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("Executed"):
            self.stopping.append(self._pool.submit(self._stop))
            wait(self.stopping, timeout=0.2)  # it has stopped by then, if it does not wait
            self.order.append("logged")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(hosts, "GRACE_SECONDS", 60.0)
    made = Host.__new__(Host)
    made.stop_event, made._threads, made._calls = threading.Event(), [], set()
    made._worker = Mock()
    made._worker.invoke.return_value = Answer(failure="The worker process ended with code -6")
    return made


@pytest.fixture
def late(host: Host) -> Iterator[Late]:
    with ThreadPoolExecutor(1) as pool:
        handler = Late(host, pool)
        hosts.logger.addHandler(handler)
        yield handler
        hosts.logger.removeHandler(handler)


def test_the_last_call_is_logged_before_the_host_ends(host: Host, late: Late) -> None:
    """Its worker has died: nothing runs any more, and the thread of the call goes on."""
    host._call(Mock(), TypedData())
    wait(late.stopping)
    assert late.order == ["logged", "stopped"]
