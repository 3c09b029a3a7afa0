"""A timer that is silent for a day, and one that is dead while a scheduler outside ticks."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.simulator import CLEAN, GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from gem_core.storage.names import JOBS, WORKLIST
from gem_core.watch.heartbeat import ENDED
from tests.integration.courier import FAST, Courier

pytestmark = pytest.mark.azurite

DAY = timedelta(days=1)
MINUTELY = {"GEM_CHECK_SCHEDULE": "0 * * * * *", "AzureFunctionsWebHost__hostid": "silence"}
"""The host keeps a status, and so knows of past due, for schedules of a minute or more."""
STATUS = "timers/silence/Host.Functions.check_jobs/status"
ENDS_AT_ONCE = replace(CLEAN, queued_for=0, running_for=0)


def aged(container: ContainerClient, name: str, *fields: str) -> None:
    """Move times of a stored document a day into the past."""
    blob = container.get_blob_client(name)
    properties = blob.get_blob_properties()
    held: dict[str, Any] = json.loads(blob.download_blob().readall())
    for field in fields:
        if held[field]:
            held[field] = (datetime.fromisoformat(held[field]) - DAY).isoformat()
    blob.upload_blob(json.dumps(held), overwrite=True, metadata=properties.metadata)


def a_day_passes(connection_string: str, jobs: list[str]) -> None:
    """As if the present state were that of yesterday."""
    last = datetime.now(UTC).replace(second=0, microsecond=0) - DAY
    status = {"Last": last, "Next": last + timedelta(minutes=1), "LastUpdated": last}
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        container: Callable[[str], ContainerClient] = blobs.get_container_client
        for job in jobs:
            aged(container(JOBS), f"{job}.json", "registeredAt", "dueAt", "checkedAt")
        aged(container(WORKLIST), ENDED, "startedAt", "endedAt")
        container("azure-webjobs-hosts").upload_blob(
            STATUS,
            json.dumps({name: when.isoformat() for name, when in status.items()}),
            overwrite=True,
        )


NAMES = [f"job-{number}" for number in range(6)]


@contextmanager
def stores() -> Iterator[tuple[Azurite, GemSimulator, BlobServiceClient]]:
    """Storage that stays while the app starts again, and GEM."""
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            files = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(files, SimulatorSettings()) as simulator:
                yield azurite, simulator, blobs


def registered(stage: Stage) -> Courier:
    """The app, after it registered jobs that end at once."""
    courier = Courier(stage)
    for job in NAMES:
        stage.simulator.add_job(job, ENDS_AT_ONCE)
        courier.register(job)
    return courier


def test_a_day_without_the_timer_loses_nothing() -> None:
    """The status says so meanwhile; the first tick is past due and settles every job."""
    with stores() as (azurite, simulator, blobs):
        settings = app_settings(azurite, simulator) | FAST | MINUTELY
        silent = settings | {"AzureWebJobs.check_jobs.Disabled": "true"}
        with Runner(ROOT, silent) as runner:
            courier = registered(Stage(azurite, simulator, runner))
            tick = {"startedAt": datetime.now(UTC), "endedAt": datetime.now(UTC)}
            blobs.get_blob_client(WORKLIST, ENDED).upload_blob(
                json.dumps(tick, default=datetime.isoformat)
            )
            assert courier.is_well()
            a_day_passes(azurite.connection_string, NAMES)
            meanwhile = courier.status()
            health = courier.call("GET", "health", headers={}).status_code
        with Runner(ROOT, settings) as runner:
            courier = Courier(Stage(azurite, simulator, runner))
            events = [courier.events_of(job) for job in NAMES]
            assert courier.is_well()
            log = courier.log()
    assert (health, meanwhile.status_code) == (503, 503)
    assert meanwhile.json()["status"] == "silent"
    assert meanwhile.json()["tickAgeSeconds"] >= DAY.total_seconds()
    assert [[event["data"]["outcome"] for event in one] for one in events] == [["valid"]] * 6
    first = next(line for line in log.splitlines() if '"tick_started"' in line)
    assert '"due_jobs": 6, "past_due": true' in first


def test_a_scheduler_outside_delivers_every_job_while_the_timer_is_dead() -> None:
    """And health says that ticks run."""
    with stores() as (azurite, simulator, _):
        dead = {"AzureWebJobs.check_jobs.Disabled": "true"}
        settings = app_settings(azurite, simulator) | FAST | MINUTELY | dead
        with Runner(ROOT, settings) as runner:
            courier = registered(Stage(azurite, simulator, runner))
            before = courier.call("HEAD", "health", headers={}).status_code
            unknown = courier.call("POST", "tick", headers={})
            tick = courier.call("POST", "tick")
            events = [courier.events_of(job) for job in NAMES]
            assert courier.is_well()
    assert (before, unknown.status_code, unknown.content) == (503, 401, b"")
    assert (tick.status_code, tick.json()["settled"]) == (200, 6)
    assert [[event["data"]["outcome"] for event in one] for one in events] == [["valid"]] * 6
