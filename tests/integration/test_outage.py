"""Our own storage is away for twenty seconds while jobs end: no poison, nothing lost.

Longer outages are played in virtual time: `tests/world/test_outages.py`.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.simulator import CLEAN, GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from gem_core.deliver.poison_queue import PoisonQueue
from gem_core.storage.names import POISON_QUEUES
from tests.integration.courier import FAST, Courier, wait_for
from tests.integration.proxy import Proxy, When

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

JOBS = 12
AWAY_SECONDS = 20.0
SETTINGS = FAST | {"GEM_REPEAT_TICKET_AFTER_MINUTES": "15", "GEM_REPORT_PAGE": "false"}
"""With the sweep's own time, so that what is late was postponed."""


class Away(Proxy):
    """Storage behind a proxy that answers 503 to every request for a while."""

    def __init__(self, target: str) -> None:
        super().__init__(target, matches=lambda *_: False, when=When.BEFORE)
        self._until = 0.0
        self.refused = 0

    def go_away(self) -> None:
        self._until = time.monotonic() + AWAY_SECONDS

    def pass_on(self, caller: BaseHTTPRequestHandler) -> None:
        if time.monotonic() >= self._until:
            super().pass_on(caller)
            return
        self.refused += 1
        caller.rfile.read(int(caller.headers.get("Content-Length") or 0))
        caller.send_response_only(503)
        caller.send_header("x-ms-error-code", "ServerBusy")
        caller.send_header("Content-Length", "0")
        caller.end_headers()


@contextmanager
def courier_behind_proxies() -> Iterator[tuple[Courier, list[Away]]]:
    """The app, whose state storage can go away."""
    with ExitStack() as stack:
        azurite = stack.enter_context(Azurite())
        storage = azurite.connection_string
        make_stores(storage)
        blobs = stack.enter_context(Away(azurite.blob_uri))
        queues = stack.enter_context(Away(azurite.queue_uri))
        state = queues.instead_of(blobs.instead_of(storage, "BlobEndpoint"), "QueueEndpoint")
        files = stack.enter_context(BlobServiceClient.from_connection_string(storage))
        simulator = stack.enter_context(
            GemSimulator(files.get_container_client(OUTPUT_CONTAINER), SimulatorSettings())
        )
        settings = app_settings(azurite, simulator) | SETTINGS | {"GEM_STATE": state}
        runner = stack.enter_context(Runner(ROOT, settings))
        yield Courier(Stage(azurite, simulator, runner)), [blobs, queues]


def poisoned(storage: str) -> int:
    """How many messages lie on the poison queues."""
    with QueueServiceClient.from_connection_string(storage) as queues:
        return sum(PoisonQueue(queues.get_queue_client(name)).count() for name in POISON_QUEUES)


def test_a_short_outage_while_jobs_end() -> None:
    with courier_behind_proxies() as (courier, proxies):
        for number in range(JOBS):
            life = replace(CLEAN, queued_for=0, running_for=number)
            courier.up.simulator.add_job(f"job-{number}", life, rows=40)
            courier.register(f"job-{number}")
        courier.delivered("job-0")
        for proxy in proxies:
            proxy.go_away()
        for number in range(JOBS):
            record = wait_for(
                partial(delivered, courier, f"job-{number}"), what=f"job-{number}", seconds=180
            )
            events = courier.events_of(f"job-{number}")
            assert {event["id"] for event in events} == {record["manifestId"]}
            assert {event["data"]["outcome"] for event in events} == {"valid"}
        assert proxies[0].refused
        assert poisoned(courier.up.azurite.connection_string) == 0


def delivered(courier: Courier, job_run_id: str) -> dict[str, Any] | None:
    """The record of a job, if its manifest was sent; None while storage is away, too."""
    answer = courier.call("GET", f"jobs/{job_run_id}")
    record: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return record if record.get("stage") == "delivered" else None
