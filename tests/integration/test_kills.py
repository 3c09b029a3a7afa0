"""The app's process is killed (SIGKILL) at one exact request; nothing is lost, ids stay."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.simulator import GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, QUEUE, ROOT, Stage, app_settings, make_stores
from gem_core.storage.names import JOBS, OUTBOX, REPORTS, TICKETS, WORKLIST
from gem_core.watch.rate_limiter import PREFIX as LEASES
from tests.integration.courier import FAST, Courier, wait_for
from tests.integration.proxy import Proxy, When

pytestmark = pytest.mark.azurite

BLOBS, QUEUES = "BlobEndpoint", "QueueEndpoint"
QUICK_RETURN = {"RUNNER_VISIBILITY_SECONDS": "2"}
"""The message of a killed delivery comes back soon, as from a crashed instance."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where the process dies."""

    name: str
    service: str
    method: str
    path: str
    """Part of the request's path; {job} is the job's id."""
    when: When

    @property
    def job(self) -> str:
        """Each point has a job of its own."""
        return f"job-{self.name}"

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is the one."""
        part = self.path.format(job=self.job)
        return method == self.method and part in path.partition("?")[0]


POINTS = (
    Point("ticket", BLOBS, "PUT", f"/{TICKETS}/{{job}}", When.BEFORE),
    Point("ticket-written", BLOBS, "PUT", f"/{TICKETS}/{{job}}", When.AFTER),
    Point("record", BLOBS, "PUT", f"/{JOBS}/{{job}}", When.AFTER),
    Point("output-opened", BLOBS, "GET", f"/{OUTPUT_CONTAINER}/{{job}}_matched", When.AFTER),
    Point("report", BLOBS, "PUT", f"/{REPORTS}/{{job}}", When.AFTER),
    Point("outbox", BLOBS, "PUT", f"/{OUTBOX}/{{job}}", When.BEFORE),
    Point("outbox-and-send", QUEUES, "POST", f"/{QUEUE}/messages", When.BEFORE),
    Point("send-and-mark", QUEUES, "POST", f"/{QUEUE}/messages", When.AFTER),
)


HASTY = f"""
import sys
from datetime import timedelta
sys.path.append({str(ROOT)!r})
from gem_core.flows import keep_manifest
keep_manifest.PAGE_WAIT = timedelta(seconds=8)
from gem_core.functions import app
"""
"""The app, but a delivery waits eight seconds, and not a minute, for the page of one that died."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the app."""
    made = tmp_path_factory.mktemp("app")
    shutil.copy(ROOT / "host.json", made)
    (made / "function_app.py").write_text(HASTY)
    return made


@pytest.fixture(scope="module")
def storage() -> Iterator[Azurite]:
    """Storage that outlives the runners."""
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        yield azurite


def live_until_killed(
    folder: Path,
    storage: Azurite,
    simulator: GemSimulator,
    settings: dict[str, str],
    point: Point,
) -> None:
    """The first life of the app: it ends, without warning, at the point."""
    target = storage.blob_uri if point.service == BLOBS else storage.queue_uri
    with Proxy(target, matches=point.matches, when=point.when) as proxy:
        behind = proxy.instead_of(storage.connection_string, point.service)
        with Runner(folder, settings | {"GEM_STATE": behind, "GEM_OUTPUT": behind}) as runner:
            Courier(Stage(storage, simulator, runner)).register(point.job)
            proxy.act = runner.kill
            wait_for(lambda: proxy.acted or None, what=f"the request at {point.name}")


def end_leases(blobs: BlobServiceClient) -> None:
    """As if the 20 seconds had passed after which the lease of a dead process ends.

    That they pass is seen in `tests/watch/test_rate_limiter.py`, in the world, and in the campaign.
    """
    worklist = blobs.get_container_client(WORKLIST)
    for lease in worklist.list_blob_names(name_starts_with=LEASES):
        worklist.delete_blob(lease)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_manifest_comes_wherever_the_app_is_killed(
    folder: Path, storage: Azurite, point: Point
) -> None:
    """The manifest comes all the same; when it comes twice, it is the same one.

    How often it comes is not asserted: on a busy machine the sweep, here after three seconds, may
    well overtake a delivery that lives.
    """
    with BlobServiceClient.from_connection_string(storage.connection_string) as blobs:
        files = blobs.get_container_client(OUTPUT_CONTAINER)
        with GemSimulator(files, SimulatorSettings(time_scale=6000)) as simulator:
            settings = app_settings(storage, simulator) | FAST | QUICK_RETURN
            simulator.add_job(point.job)
            live_until_killed(folder, storage, simulator, settings, point)
            end_leases(blobs)
            with Runner(folder, settings) as runner:
                courier = Courier(Stage(storage, simulator, runner))
                record = courier.delivered(point.job)
                events = courier.events_of(point.job)
    assert {event["id"] for event in events} == {record["manifestId"]}
    assert {event["data"]["outcome"] for event in events} == {"valid"}
