"""Four outputs that end their reader and twenty good ones, in one burst, on one instance.

The deadly ones end children of the app, never the app. With kills at random moments, of the audit
process or of the process that runs the app, everything is still delivered, under one id.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.runner import Runner
from devkit.simulator import GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from tests.integration.courier import FAST, Courier, failed_checks, wait_for
from tests.integration.test_deadly_file import DEADLY as FILES
from tests.integration.test_deadly_file import ENDED

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

DEADLY = dict(zip(("job-00", "job-05", "job-10", "job-15"), cycle(FILES.values()), strict=False))
JOBS = [f"job-{number:02}" for number in range(24)]
SEEDS = range(int(os.environ.get("BURST_RUNS", "2")))
"""`BURST_RUNS=10` plays ten runs with kills."""
MAX_WORKER_KILLS = 3
"""The third death of the worker ends the host, and so does one while it starts."""


@contextmanager
def courier() -> Iterator[Courier]:
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            files = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(files, SimulatorSettings()) as simulator:
                for job in JOBS:
                    simulator.add_job(job, ENDED)
                simulator.write_due_outputs()
                for job, content in DEADLY.items():
                    files.upload_blob(f"{job}_matched.parquet", content(), overwrite=True)
                settings = app_settings(azurite, simulator) | FAST
                with Runner(ROOT, settings | {"GEM_REPORT_PAGE": "false"}) as runner:
                    yield Courier(Stage(azurite, simulator, runner))


def check_all_delivered(up: Courier) -> None:
    for job in JOBS:
        wait_for(partial(delivered, up, job), what=f"{job} delivered", seconds=240)
        events = up.events_of(job)
        assert len({event["id"] for event in events}) == 1
        data = events[0]["data"]
        if job in DEADLY:
            assert data["outcome"] == "not_audited", job
            assert failed_checks(events[0]) == {"auditable"}
        else:
            assert data["outcome"] == "valid", (job, failed_checks(events[0]))
            assert data["input"]["idsCompared"], job
    up.receive()
    assert {event["data"]["jobRunId"] for event in up.events} == set(JOBS)


def delivered(up: Courier, job: str) -> bool | None:
    """None also while nothing answers; a host that has ended is started again, as Azure does."""
    if not up.up.runner.running:
        up.up.runner.stop()  # closes the log of the one that ended
        up.up.runner.start()
    try:
        answer = up.call("GET", f"jobs/{job}")
    except requests.ConnectionError:
        return None
    return True if answer.ok and answer.json()["stage"] == "delivered" else None


def test_deadly_files_harm_no_good_one() -> None:
    with courier() as up:
        for job in JOBS:
            up.register(job)
        check_all_delivered(up)
        assert "worker process ended" not in up.log()
        assert "delivery_postponed" not in up.log()


@pytest.mark.parametrize("seed", SEEDS)
def test_kills_at_random_lose_nothing(seed: int) -> None:
    with courier() as up:
        for job in JOBS:
            up.register(job)
        over = Event()
        kills = Thread(target=_kill_at_random, args=(up.up.runner, Random(seed), over))
        kills.start()
        try:
            check_all_delivered(up)
        finally:
            over.set()
            kills.join()


def _kill_at_random(runner: Runner, random: Random, over: Event) -> None:
    workers = 0
    for _ in range(8):
        if over.wait(random.uniform(0.1, 1.5)):
            return
        if not runner.running:
            continue
        worker = runner.worker_pid
        victims = _children(worker)
        if workers < MAX_WORKER_KILLS and random.random() < 0.3:
            workers += 1
            victims = [worker]
        for pid in victims[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    """Linux only, as the limits of the audit process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
