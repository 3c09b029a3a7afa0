"""A file over which pyarrow ends the process: it leads to a manifest, and other jobs go on."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.simulator import CLEAN, GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from gem_core.deliver.attempts import Attempts
from gem_core.flows.audit_output import BEGUN_WITH_INPUT, MAX_BEGUN
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.names import JOBS, OUTBOX, TICKETS, WORKLIST
from gem_core.watch.registration import register
from gem_core.watch.registry import JobRegistry
from tests.audit.bombs import deadly_statistics
from tests.fakes import Killed
from tests.integration.courier import FAST, Courier, failed_checks, wait_for

pytestmark = pytest.mark.azurite

DEADLY, OTHER = "job-deadly", "job-other"
ENDED = replace(CLEAN, queued_for=0, running_for=0)
SETTINGS = FAST | {"RUNNER_VISIBILITY_SECONDS": "1", "GEM_REPORT_PAGE": "false"}
DEATHS = 2
"""That are lived through here; of those before, only the count is there that they leave."""

type Spoil = Callable[[ContainerClient, GemSimulator], object]
"""Makes the deadly job and its files."""


def register_before(blobs: BlobServiceClient, etag: str, *, begun: int) -> None:
    """As the registration and the audits before have left it."""
    jobs, worklist, tickets, outbox = (
        BlobDocuments(blobs.get_container_client(name))
        for name in (JOBS, WORKLIST, TICKETS, OUTBOX)
    )
    record = register(DEADLY, None, datetime.now(UTC))
    JobRegistry(jobs=jobs, worklist=worklist, tickets=tickets).add(record)
    for _ in range(begun):
        with suppress(Killed), Attempts(outbox).counted(record, etag.strip('"')):
            raise Killed


def deaths_until_all_delivered(courier: Courier, runner: Runner) -> int:
    """How often the process ended before both jobs had a manifest; it is started each time."""
    deaths = 0

    def look() -> bool | None:
        nonlocal deaths
        if not runner.running:
            deaths += 1
            runner.kill()  # lets go of what is left of it
            runner.start()
        courier.receive()
        return True if len({event["data"]["jobRunId"] for event in courier.events}) > 1 else None

    wait_for(look, what="both manifests", seconds=120)
    return deaths


def lived(spoil: Spoil, *, begun: int) -> tuple[int, dict[str, Any]]:
    """How often the process ended until both jobs had a manifest, and their events."""
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            files = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(files, SimulatorSettings()) as simulator:
                spoil(files, simulator)
                simulator.add_job(OTHER, ENDED)
                output = files.get_blob_client(f"{DEADLY}_matched.parquet")
                register_before(blobs, output.get_blob_properties().etag, begun=begun)
                settings = app_settings(azurite, simulator) | SETTINGS
                with Runner(ROOT, settings) as runner:
                    courier = Courier(Stage(azurite, simulator, runner))
                    courier.register(OTHER)
                    deaths = deaths_until_all_delivered(courier, runner)
    return deaths, {event["data"]["jobRunId"]: event for event in courier.events}


def test_the_process_ends_ten_times_and_then_the_listeners_get_a_manifest() -> None:
    def spoil(files: ContainerClient, simulator: GemSimulator) -> None:
        simulator.add_job(DEADLY, replace(ENDED, output_written=False))
        files.upload_blob(f"{DEADLY}_matched.parquet", deadly_statistics())

    deaths, events = lived(spoil, begun=MAX_BEGUN - DEATHS)
    assert deaths == DEATHS
    assert events[DEADLY]["data"]["outcome"] == "not_audited"
    assert failed_checks(events[DEADLY]) == {"auditable"}
    assert events[OTHER]["data"]["outcome"] == "valid"


def test_an_input_that_ends_the_process_five_times_is_left_out() -> None:
    def spoil(files: ContainerClient, simulator: GemSimulator) -> None:
        simulator.add_job(DEADLY, ENDED)
        simulator.write_due_outputs()
        files.upload_blob(f"{DEADLY}.parquet", deadly_statistics(), overwrite=True)

    deaths, events = lived(spoil, begun=BEGUN_WITH_INPUT - 1)
    assert deaths == 1
    assert events[DEADLY]["data"]["outcome"] == events[OTHER]["data"]["outcome"] == "valid"
    assert events[DEADLY]["data"]["input"]["note"] == "the audits that read the input never ended"
