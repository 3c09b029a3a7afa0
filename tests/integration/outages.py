"""Our own storage is away while jobs end: what is poison, lost and late, in either host.

`python -m tests.integration.outages --seconds 120 --jobs 100` plays it in the development runner;
with `--host PROGRAM` behind the host's own extensions (`tests/devkit/beside/hosts.py`).
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from statistics import median

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient, TextBase64DecodePolicy

from devkit.azurite import Azurite
from devkit.simulator import CLEAN, GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, QUEUE, app_settings, make_stores
from gem_core.deliver.poison_queue import PoisonQueue
from gem_core.storage.names import POISON_QUEUES
from tests.devkit.beside.hosts import ExtensionsHost, Host, extensions_host, runner_host
from tests.integration.courier import FAST
from tests.integration.event_bus import EventBus
from tests.integration.proxy import Proxy, When

SETTINGS = FAST | {
    "GEM_REPEAT_TICKET_AFTER_MINUTES": "15",
    "GEM_REPORT_PAGE": "false",
    "AzureFunctionsWebHost__hostid": "outage",
}
"""With the sweep's own time, so that what is late was postponed."""
_PATIENCE_SECONDS = 1200.0
"""After the outage: the sweep's 15 minutes, and more."""


class Away(Proxy):
    """Storage behind a proxy that answers 503 to every request for a while."""

    def __init__(self, target: str) -> None:
        super().__init__(target, matches=lambda *_: False, when=When.BEFORE)
        self.until = 0.0
        self.refused = 0

    def pass_on(self, caller: BaseHTTPRequestHandler) -> None:
        """Refuse, or pass on."""
        if time.monotonic() >= self.until:
            super().pass_on(caller)
            return
        self.refused += 1
        caller.rfile.read(int(caller.headers.get("Content-Length") or 0))
        caller.send_response_only(503)
        caller.send_header("x-ms-request-id", "1")
        caller.send_header("x-ms-error-code", "ServerBusy")
        caller.send_header("Content-Length", "0")
        caller.end_headers()


@dataclass(frozen=True)
class Outcome:
    """What came of an outage."""

    seconds: float
    jobs: int
    refused: int
    """Requests that the outage refused."""
    lost: int
    """Jobs without a manifest."""
    second_ids: int
    """Jobs with manifests of different ids."""
    not_valid: int
    """Manifests with another outcome than `valid`."""
    poison: int
    """Most messages on the poison queues that were seen at the same time."""
    host_ends: int
    """How often the host ended by itself."""
    after_the_outage: tuple[float, float, float]
    """Seconds to a manifest that came later: median, 95 of 100, longest."""
    manifests_before_its_end: int


class World:
    """The parts around a host."""

    def __init__(self, azurite: Azurite, simulator: GemSimulator, proxies: list[Away]) -> None:
        self.azurite, self.simulator, self.proxies = azurite, simulator, proxies
        self.settings: dict[str, str] = {}
        self.ids: dict[str, set[str]] = {}
        self.outcomes: list[str] = []

    def receive(self) -> None:
        """Take what is on the results queue."""
        with QueueClient.from_connection_string(
            self.azurite.connection_string, QUEUE, message_decode_policy=TextBase64DecodePolicy()
        ) as queue:
            for message in queue.receive_messages(max_messages=320, messages_per_page=32):
                event = json.loads(message.content)
                self.ids.setdefault(event["data"]["jobRunId"], set()).add(event["id"])
                self.outcomes.append(event["data"]["outcome"])
                queue.delete_message(message)

    def poisoned(self) -> int:
        """How many messages lie on the poison queues."""
        storage = self.azurite.connection_string
        with QueueServiceClient.from_connection_string(storage) as queues:
            return sum(PoisonQueue(queues.get_queue_client(each)).count() for each in POISON_QUEUES)


@contextmanager
def world() -> Iterator[World]:
    """Storage, GEM, and settings by which the state storage is behind proxies."""
    with ExitStack() as stack:
        azurite = stack.enter_context(Azurite())
        storage = azurite.connection_string
        make_stores(storage)
        blobs = stack.enter_context(Away(azurite.blob_uri))
        queues = stack.enter_context(Away(azurite.queue_uri))
        state = queues.instead_of(blobs.instead_of(storage, "BlobEndpoint"), "QueueEndpoint")
        files = stack.enter_context(BlobServiceClient.from_connection_string(storage))
        outputs = files.get_container_client(OUTPUT_CONTAINER)
        simulator = stack.enter_context(GemSimulator(outputs, SimulatorSettings()))
        made = World(azurite, simulator, [blobs, queues])
        made.settings = app_settings(azurite, simulator) | SETTINGS | {"GEM_STATE": state}
        yield made


@contextmanager
def behind(program: str, world: World) -> Iterator[ExtensionsHost]:
    """The host's own extensions, with Event Grid."""
    azurite = world.azurite
    with (
        extensions_host(program, world.settings) as host,
        EventBus(host, azurite.connection_string, azurite.blob_uri, lambda *_: 1),
    ):
        yield host


type Start = Callable[[World], AbstractContextManager[Host]]


def play(start: Start, *, seconds: float, jobs: int) -> Outcome:
    """Register jobs that end one after the other; storage goes away amid them for `seconds`."""
    with world() as around, start(around) as host:
        names = [f"job-{number:03}" for number in range(jobs)]
        for number, name in enumerate(names):
            life = replace(CLEAN, queued_for=0, running_for=jobs / 8 + number / 4)
            around.simulator.add_job(name, life, rows=40)
            assert host.call("PUT", f"jobs/{name}", {}).status_code == 201
        while not around.ids:
            around.receive()
            time.sleep(0.05)
        began, until = datetime.now(UTC), time.monotonic() + seconds
        for proxy in around.proxies:
            proxy.until = until
        poison, open_jobs = 0, set(names)
        while open_jobs and time.monotonic() < until + _PATIENCE_SECONDS:
            host.keep_up()
            around.receive()
            poison = max(poison, around.poisoned())
            open_jobs -= around.ids.keys()
            time.sleep(0.25)
        return _outcome(around, host, names, poison, seconds, began)


def _outcome(
    around: World, host: Host, names: list[str], poison: int, seconds: float, began: datetime
) -> Outcome:
    late = sorted((sent - began).total_seconds() - seconds for sent in _sent(host, [*around.ids]))
    after = [each for each in late if each > 0] or [0.0]
    return Outcome(
        seconds=seconds,
        jobs=len(names),
        refused=sum(proxy.refused for proxy in around.proxies),
        lost=len(set(names) - around.ids.keys()),
        second_ids=sum(len(ids) > 1 for ids in around.ids.values()),
        not_valid=sum(each != "valid" for each in around.outcomes),
        poison=poison,
        host_ends=host.ends,
        after_the_outage=(
            round(median(after), 1), round(after[len(after) * 95 // 100], 1), round(after[-1], 1)
        ),
        manifests_before_its_end=sum(each <= 0 for each in late),
    )  # fmt: skip


def _sent(host: Host, names: list[str]) -> Iterator[datetime]:
    """When each job was delivered; a delivery that has just sent may still have to mark it."""
    for name in names:
        for _ in range(600):
            record = host.call("GET", f"jobs/{name}").json()
            if record.get("deliveredAt"):
                yield datetime.fromisoformat(record["deliveredAt"])
                break
            host.keep_up()
            time.sleep(0.1)


def in_the_runner(around: World) -> AbstractContextManager[Host]:
    """Start the development runner."""
    return runner_host(around.settings)


def main() -> None:
    """Print the outcome as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.outages")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--host", help="a program with the host's own extensions")
    options = parser.parse_args()
    start: Start = in_the_runner
    if options.host:
        start = lambda around: behind(options.host, around)  # noqa: E731 - one of two
    outcome = play(start, seconds=options.seconds, jobs=options.jobs)
    json.dump(asdict(outcome), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
