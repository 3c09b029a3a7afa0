"""Two hosts of the app for one story: the development runner, and the host's own extensions.

Each is started again when it has ended by itself, as the platform does.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

import requests

from devkit.processes import ChildError, ChildProcess, free_ports
from devkit.runner import Runner
from devkit.stage import ROOT

_LISTENS = re.compile(r"The app listens on (http://\S+)")
_STARTED = '"started"'
_START_SECONDS = 120.0
_TICK_SECONDS = 1.0


class Host(Protocol):
    """A host with the app."""

    ends: int
    """How often it has ended by itself."""

    def call(self, method: str, route: str, body: object = None) -> requests.Response:
        """The answer of a route of the app."""
        ...

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        ...

    def keep_up(self) -> None:
        """Start it again if it has ended."""
        ...

    def log(self) -> str:
        """What the app has logged."""
        ...


def _call(
    method: str, url: str, body: object, headers: Mapping[str, str] | None = None
) -> requests.Response:
    return requests.request(method, url, json=body, headers=headers, timeout=300)


class RunnerHost:
    """The development runner."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Start nothing yet."""
        self.runner = Runner(ROOT, settings)
        self.ends = 0
        self._before = ""

    def call(self, method: str, route: str, body: object = None) -> requests.Response:
        """See `Host`."""
        headers = {"x-functions-key": self.runner.function_key}
        return _call(method, f"{self.runner.url}/api/{route}", body, headers)

    @property
    def is_up(self) -> bool:
        """See `Host`."""
        return self.runner.running

    def keep_up(self) -> None:
        """See `Host`."""
        if not self.is_up:
            self.ends += 1
            self._before += self.runner.log
            self.runner.stop()
            self.runner.start()

    def log(self) -> str:
        """See `Host`."""
        return self._before + self.runner.log


class ExtensionsHost:
    """A program that hosts the real extensions, and the app as its callback.

    The program takes `serve --host-json FILE --callback URL --listen HOST:PORT --host-id ID
    --blob NAME:CONTAINER/PATTERN:CONNECTION:EventGrid` and prints one JSON object a line.
    """

    master_key = "none"

    def __init__(self, program: str, settings: Mapping[str, str], folder: Path) -> None:
        """Start both."""
        self._environment = {**os.environ, **settings}
        self._app_log, self.host_log = folder / "app.log", folder / "host.log"
        self._app = ChildProcess(
            [sys.executable, "-m", "tests.devkit.beside.app"],
            log=self._app_log,
            environment=self._environment,
            folder=ROOT,
        )
        self._app.wait_until(
            lambda _: _LISTENS.search(self.log()) is not None, what="app", seconds=_START_SECONDS
        )
        self._app_url = _LISTENS.findall(self.log())[0]
        address = f"127.0.0.1:{free_ports(1)[0]}"
        self.url = f"http://{address}"
        """The address of the webhook."""
        self._command = [
            program, "serve", "--host-json", str(ROOT / "host.json"), "--callback", self._app_url,
            "--listen", address, "--host-id", settings["AzureFunctionsWebHost__hostid"],
            "--blob", "deliver_results:gem-tickets/{jobRunId}.json:GEM_STATE:EventGrid",
        ]  # fmt: skip
        self.ends = 0
        self._host = self._start()

    def _start(self) -> ChildProcess:
        started = self.host_log.read_text().count(_STARTED) if self.host_log.exists() else 0
        host = ChildProcess(self._command, log=self.host_log, environment=self._environment)
        with suppress(ChildError):  # it may end at once, and is then started again
            host.wait_until(
                lambda _: self.host_log.read_text().count(_STARTED) > started,
                what="host",
                seconds=_START_SECONDS,
            )
        return host

    def call(self, method: str, route: str, body: object = None) -> requests.Response:
        """See `Host`."""
        return _call(method, f"{self._app_url}/api/{route}", body)

    def keep_up(self) -> None:
        """See `Host`."""
        if not self.is_up:
            self.ends += 1
            self._host.stop()
            self._host = self._start()

    @property
    def is_up(self) -> bool:
        """See `Host`."""
        return self._host.running

    def log(self) -> str:
        """See `Host`."""
        return self._app_log.read_text()

    def stop(self) -> None:
        """End both."""
        self._host.stop()
        self._app.stop()


@contextmanager
def runner_host(settings: Mapping[str, str]) -> Iterator[RunnerHost]:
    """A started runner."""
    host = RunnerHost(settings)
    with host.runner:
        yield host


@contextmanager
def extensions_host(program: str, settings: Mapping[str, str]) -> Iterator[ExtensionsHost]:
    """A started program. The app is ticked from outside, since no timer is there."""
    stop = Event()
    with tempfile.TemporaryDirectory() as folder:
        host = ExtensionsHost(program, settings, Path(folder))

        def tick() -> None:
            while not stop.wait(_TICK_SECONDS):
                with suppress(requests.RequestException):
                    host.call("POST", "tick")

        thread = Thread(target=tick, daemon=True)
        thread.start()
        try:
            yield host
        finally:
            stop.set()
            thread.join()
            host.stop()
