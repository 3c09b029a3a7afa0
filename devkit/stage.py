"""Starts everything that the app needs on this machine: storage, GEM, Functions runner. Edge.

It also creates the containers and queues that the infrastructure creates in Azure.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.simulator.access import SimulatorSettings
from devkit.simulator.overture import SimulatedOverture
from devkit.simulator.simulator import GemSimulator
from gem_core.settings.local_settings import read_settings_file
from gem_core.settings.reader import SettingReader
from gem_core.settings.route_reader import read_routes
from gem_core.storage.names import BATCHES, CONTAINERS

ROOT = Path(__file__).resolve().parent.parent
OUTPUT_CONTAINER = "default"
QUEUE = "gem-results"


@dataclass(frozen=True, slots=True)
class Stage:
    """The running parts."""

    azurite: Azurite
    simulator: GemSimulator
    runner: Runner

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the app's HTTP endpoints require."""
        return {"x-functions-key": self.runner.function_key}


def sample_settings() -> dict[str, str]:
    """The values of local.settings.sample.json."""
    return read_settings_file(ROOT / "local.settings.sample.json")


def make_stores(connection_string: str, queues_of_routes: Iterable[str] = ()) -> None:
    """Create the containers and queues that the infrastructure creates in Azure."""
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name in (*CONTAINERS, OUTPUT_CONTAINER):
            blobs.create_container(name)
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for name in (QUEUE, BATCHES, *queues_of_routes):
            queues.create_queue(name)


def app_settings(azurite: Azurite, simulator: GemSimulator) -> dict[str, str]:
    """The settings of the sample file, with the addresses of this run."""
    storage = azurite.connection_string
    return sample_settings() | {
        "AzureWebJobsStorage": storage,
        "GEM_STATE": storage,
        "GEM_OUTPUT": storage,
        "GEM_API_BASE_URL": simulator.url,
        "GEM_API_KEY": simulator.api_key,
        "GEM_BEARER_TOKEN": simulator.token,
    }


@contextmanager
def stage(
    *,
    time_scale: float = 1,
    overrides: Mapping[str, str] | None = None,
    port: int = 0,
    simulator_port: int = 0,
    hold_seconds: float = 5,
    log_path: Path | None = None,
    with_overture: bool = False,
) -> Iterator[Stage]:
    """Start all parts; stop them at the end.

    Args:
        time_scale: simulated seconds of GEM for each real second.
        overrides: settings that replace those of the sample file.
        port: port of the runner; 0 for any free port.
        simulator_port: port of the simulator; 0 for any free port.
        hold_seconds: how long the simulator holds a connection that gets no answer.
        log_path: file for the app's log; None for a temporary file.
        with_overture: whether the app looks GERS ids up, in a release that has those of all jobs.

    """
    with Azurite() as azurite:
        routes = read_routes(SettingReader(overrides or {}))
        further = [route.queue for route in routes if route.queue != QUEUE]
        make_stores(azurite.connection_string, further)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            chosen = SimulatorSettings(
                time_scale=time_scale, port=simulator_port, hold_seconds=hold_seconds
            )
            overture = {"GEM_OVERTURE": azurite.blob_uri} if with_overture else {}
            simulator = GemSimulator(
                blobs.get_container_client(OUTPUT_CONTAINER),
                chosen,
                on_matches=SimulatedOverture(blobs).add if with_overture else None,
            )
            with simulator:
                settings = app_settings(azurite, simulator) | overture | dict(overrides or {})
                with Runner(ROOT, settings, port=port, log_path=log_path) as runner:
                    yield Stage(azurite, simulator, runner)
