"""A simulator whose clock and container are in the test's hands, and a client with good headers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import requests
from azure.core.exceptions import ResourceNotFoundError

from devkit.simulator import GemSimulator, SimulatorSettings

START = datetime(2026, 1, 20, 10, 0, tzinfo=UTC)


class Memory:
    """A container in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.refuse = False

    def upload_blob(self, name: str, data: Iterable[bytes], *, overwrite: bool) -> None:
        assert overwrite
        if self.refuse:
            raise ResourceNotFoundError("no such container")
        self.blobs[name] = b"".join(data)


class Clock:
    """Time that moves only by `move`."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class SimulatorClient:
    """A simulator, its clock and container, and a client with good headers."""

    def __init__(self, settings: SimulatorSettings | None = None) -> None:
        self.clock = Clock()
        self.memory = Memory()
        self.simulator = GemSimulator(self.memory, settings, clock=self.clock)
        self.session = requests.Session()
        self.session.headers.update(self.headers())

    def headers(self, **changes: str) -> dict[str, str]:
        good = {
            "tomtom-api-key": self.simulator.api_key,
            "Authorization": f"Bearer {self.simulator.token}",
            "X-Version": "1",
        }
        return good | changes

    def get(self, job: str, headers: Mapping[str, str | None] | None = None) -> requests.Response:
        url = f"{self.simulator.url}/jobs/{job}"
        return self.session.get(url, headers=headers, timeout=60)

    def control(self, method: str, path: str, script: str | None = None) -> requests.Response:
        url = f"{self.simulator.origin}/control/{path}"
        return self.session.request(method, url, data=script, timeout=60)
