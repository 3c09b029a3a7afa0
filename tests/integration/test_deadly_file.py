"""A file that ends its reader ends a child of the app: no delivery is lost, and the app goes on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.simulator import GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from tests.audit.bombs import claimed_page
from tests.integration.courier import ENDED, FAST, Courier, failed_checks
from tests.integration.deadly_files import DEADLY

pytestmark = pytest.mark.azurite


GOOD, INPUT = "job-good", "job-input"


@pytest.fixture(scope="module")
def courier() -> Iterator[Courier]:
    """The app after it delivered two deadly outputs, one deadly input and a good job."""
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            files = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(files, SimulatorSettings()) as simulator:
                _write(files, simulator)
                settings = app_settings(azurite, simulator) | FAST
                with Runner(ROOT, settings) as runner:
                    courier = Courier(Stage(azurite, simulator, runner))
                    for job in (*DEADLY, INPUT, GOOD):
                        courier.register(job)
                    for job in (*DEADLY, INPUT, GOOD):
                        courier.events_of(job)
                    assert runner.running
                    yield courier


def _write(files: ContainerClient, simulator: GemSimulator) -> None:
    for job, content in DEADLY.items():
        simulator.add_job(job, replace(ENDED, output_written=False))
        files.upload_blob(f"{job}_matched.parquet", content())
    simulator.add_job(INPUT, ENDED)
    simulator.add_job(GOOD, ENDED)
    simulator.write_due_outputs()
    files.upload_blob(f"{INPUT}.parquet", claimed_page(column="id"), overwrite=True)


@pytest.mark.parametrize("job", DEADLY)
def test_an_output_that_ends_its_reader_is_not_audited(job: str, courier: Courier) -> None:
    (event,) = courier.events_of(job)
    assert event["data"]["outcome"] == "not_audited"
    assert failed_checks(event) == {"auditable"}
    (check,) = (c for c in event["data"]["checks"]["notPassed"] if c["verdict"] == "failed")
    assert check["detail"].startswith("it takes more memory than an audit has")


def test_an_input_that_ends_its_reader_is_left_out_and_named(courier: Courier) -> None:
    (event,) = courier.events_of(INPUT)
    assert event["data"]["outcome"] == "valid"
    assert event["data"]["input"]["note"].startswith(
        "audits that read the input gave no verdict: it takes more memory than an audit has"
    )


def test_a_good_job_beside_them_is_valid_with_its_input(courier: Courier) -> None:
    (event,) = courier.events_of(GOOD)
    assert event["data"]["outcome"] == "valid"
    assert event["data"]["input"]["idsCompared"]


def test_the_app_did_not_end(courier: Courier) -> None:
    """Each of the three deadly files ended two children or three, and never the app."""
    assert courier.up.runner.running
    log = courier.log()
    assert log.count("audit_process_ended") >= 2 * (len(DEADLY) + 1)
    assert "delivery_postponed" not in log
