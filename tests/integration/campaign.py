"""The fault campaign on real parts: Azurite on disk, the simulator of GEM, and the app in the
development runner, which is killed again and again while jobs finish.

`python -m tests.integration.campaign` runs it and lists every manifest. The plan follows from the
seed; what exactly a kill meets does not, since processes and sockets are real.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient
from rich.console import Console

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.runner.blob_queue import POISON_QUEUE
from devkit.simulator import GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, QUEUE, ROOT, Stage, app_settings, make_stores
from gem_core.deliver.poison_queue import PoisonQueue
from gem_core.storage.names import JOBS, OUTBOX
from tests.integration.campaign_plan import Fault, Plan, PlannedJob, plan
from tests.integration.campaign_result import CampaignResult, show
from tests.integration.courier import FAST, Courier, wait_for
from tests.integration.event_bus import EventBus

SETTINGS = {"RUNNER_VISIBILITY_SECONDS": "2", "RUNNER_BLOB_EVENTS": "false"}
"""What a killed delivery had taken comes back soon; events come from `EventBus` only."""
END_SECONDS = 240
"""Only ends a campaign that has failed."""


class Campaign:
    """One run: everything that is up, and the faults."""

    def __init__(
        self, plan_: Plan, azurite: Azurite, simulator: GemSimulator, runner: Runner
    ) -> None:
        self._plan = plan_
        self._azurite = azurite
        self._simulator = simulator
        self._runner = runner
        self._courier = Courier(Stage(azurite, simulator, runner))
        self.result = CampaignResult(plan_)

    def run(self, console: Console) -> None:
        """Register, disturb, wait until all is delivered, and read the results."""
        started = time.monotonic()
        for job in self._plan.jobs[:-1]:
            self._register(job)
        with EventBus(
            self._runner, self._azurite.connection_string, self._azurite.blob_uri, self._copies
        ) as bus:
            for pause, fault in self._plan.faults:
                time.sleep(pause)
                console.print(f"{time.monotonic() - started:6.1f} s  {fault}")
                self._do(fault)
                self._listen()
            self._wait()
            self.result.events_dropped, self.result.events_repeated = bus.dropped, bus.repeated
        self.result.seconds = time.monotonic() - started
        self._read()

    def _do(self, fault: Fault) -> None:
        self.result.faults[fault] += 1
        match fault:
            case Fault.KILL:
                self._runner.kill()
                self._runner.start()
            case Fault.STORAGE:
                # SIGTERM, since Azurite (unlike the service) loses its last seconds by SIGKILL.
                self._azurite.stop()
                self._azurite.start()
            case Fault.STORAGE_AND_KILL:
                self._runner.kill()
                self._azurite.stop()
                self._azurite.start()
                self._runner.start()
            case Fault.QUEUE:
                self._lose_queue()

    def _lose_queue(self) -> None:
        """Delete the queue, and make it again after a delivery was postponed without it.

        What lies on a queue goes with it. So that a lost manifest is the app's fault, nothing is
        sent between the last look at the queue and its end.
        """
        self._runner.kill()
        self._listen()
        last = self._plan.jobs[-1]
        with self._queues() as queues:
            queues.delete_queue(QUEUE)
            self._runner.start()
            self._register(last)

            def is_postponed() -> bool | None:
                attempts = self._courier.record(last.job_run_id)["attempts"]
                return bool(attempts and attempts["postponement"]) or None

            wait_for(is_postponed, what="a postponed delivery")
            self.result.postponed += 1
            queues.create_queue(QUEUE)

    def _poisoned(self) -> int:
        with self._queues() as queues:
            return PoisonQueue(queues.get_queue_client(POISON_QUEUE)).count()

    def _register(self, job: PlannedJob) -> None:
        self._simulator.add_job(job.job_run_id, job.life, rows=40)
        self._courier.register(job.job_run_id)

    def _copies(self, job_run_id: str, number: int) -> int:
        return self._jobs[job_run_id].copies(number)

    @property
    def _jobs(self) -> Mapping[str, PlannedJob]:
        return {job.job_run_id: job for job in self._plan.jobs}

    def _listen(self) -> None:
        with suppress(AzureError):
            self._courier.receive()

    def _wait(self) -> None:
        """Until every job is delivered; the result names one that is lost."""

        def look() -> bool | None:
            self._listen()
            with BlobServiceClient.from_connection_string(self._storage) as blobs:
                jobs = blobs.get_container_client(JOBS).list_blobs(include=["metadata"])
                stages = [job.metadata["stage"] for job in jobs]
            return True if stages.count("delivered") == len(self._plan.jobs) else None

        with suppress(AssertionError):
            wait_for(look, what="all jobs delivered", seconds=END_SECONDS)

    def _read(self) -> None:
        count = -1
        while count < len(self._courier.events):
            count = len(self._courier.events)
            self._courier.receive()
        for event in self._courier.events:
            self.result.manifests.setdefault(event["data"]["jobRunId"], []).append(event)
        for job in self._plan.jobs:
            self.result.records[job.job_run_id] = self._courier.record(job.job_run_id)
        self.result.poisoned = self._poisoned()
        self.result.outbox = frozenset(self._courier.names(OUTBOX))

    @property
    def _storage(self) -> str:
        return self._azurite.connection_string

    def _queues(self) -> QueueServiceClient:
        return QueueServiceClient.from_connection_string(self._storage)


@contextmanager
def stage(
    folder: Path, settings: Mapping[str, str]
) -> Iterator[tuple[Azurite, GemSimulator, Runner]]:
    """Azurite on disk, GEM at the speed of the clock, and the app."""
    with Azurite(folder) as azurite:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            files = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(files, SimulatorSettings(hold_seconds=1)) as simulator:
                chosen = app_settings(azurite, simulator) | FAST | SETTINGS | dict(settings)
                with Runner(ROOT, chosen) as runner:
                    yield azurite, simulator, runner


def run(plan_: Plan, console: Console, **settings: str) -> CampaignResult:
    """Run a plan from the first process to the last, with `settings` in place of the app's own."""
    with (
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
        stage(Path(folder), settings) as up,
    ):
        campaign = Campaign(plan_, *up)
        campaign.run(console)
        return campaign.result


def main() -> int:
    """Exit code 0 when nothing was lost and no promise broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.campaign")
    parser.add_argument("--seed", type=int, default=1, help="decides jobs and faults (1)")
    parser.add_argument("--jobs", type=int, default=50, help="how many jobs (50)")
    parser.add_argument("--faults", type=int, default=24, help="how many faults, 4 at least (24)")
    parser.add_argument("--seconds", type=float, default=60, help="until the last job ends (60)")
    arguments = parser.parse_args()
    console = Console()
    console.print(f"seed {arguments.seed}: {arguments.jobs} jobs, {arguments.faults} faults")
    made = plan(
        arguments.seed, jobs=arguments.jobs, faults=arguments.faults, seconds=arguments.seconds
    )
    result = run(made, console)
    show(result, console)
    return 1 if result.lost or any(result.breaches()) else 0


if __name__ == "__main__":
    sys.exit(main())
