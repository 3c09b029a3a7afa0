"""Four outputs that end their reader, one whose storage drips, and twenty good ones, in one burst.

On one instance. The deadly ones end children of the app, never the app; the dripping one is
postponed each time, and takes no more than its turn. With kills at random moments, of the audit
process or of the process that runs the app, everything is still delivered, under one id.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from itertools import cycle
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import override

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from devkit.azurite import Azurite
from devkit.processes import ChildError
from devkit.runner import Runner
from devkit.simulator import GemSimulator, SimulatorSettings
from devkit.stage import OUTPUT_CONTAINER, ROOT, Stage, app_settings, make_stores
from tests.integration.courier import ENDED, FAST, Courier, failed_checks, wait_for
from tests.integration.deadly_files import DEADLY as FILES
from tests.integration.proxy import Proxy, When

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

DEADLY = dict(zip(("job-00", "job-05", "job-10", "job-15"), cycle(FILES.values()), strict=False))
JOBS = [f"job-{number:02}" for number in range(24)]
DRIPS = "job-drips"
SEEDS = range(int(os.environ.get("BURST_RUNS", "1")))
"""`BURST_RUNS=10` plays ten runs with kills."""
MAX_WORKER_KILLS = 3
"""The third death of the worker ends the host, and so does one while it starts."""


HASTY = f"""
import sys
from datetime import timedelta
sys.path.append({str(ROOT)!r})
from functools import partial
from gem_core.audit.child import limits
from gem_core.audit.reading import blob_source
from gem_core.watch import attempts
attempts.FIRST_WAIT = timedelta(seconds=3)
limits.Limits = partial(limits.Limits, range_seconds=3)
blob_source.HEAD_BYTES = 4
from gem_core.functions import app
"""
"""The app, but a range of a file has three seconds instead of two minutes, a delivery is postponed
for three seconds at first instead of fifteen, and no file is so small that it comes as a whole when
it is opened."""


class Dripping(Proxy):
    """Storage that lets one byte come now and then of one file, once it is opened."""

    def __init__(self, target: str, name: str) -> None:
        super().__init__(target, matches=lambda *_: False, when=When.BEFORE)
        self._name = name
        self.is_well = Event()

    @override
    def pass_on(self, caller: BaseHTTPRequestHandler) -> None:
        is_read = self._name in caller.path and caller.headers.get("If-Match")
        if not is_read or self.is_well.is_set():
            super().pass_on(caller)
            return
        first, last = caller.headers["x-ms-range"].removeprefix("bytes=").split("-")
        caller.send_response_only(206)
        caller.send_header("x-ms-request-id", "1")
        caller.send_header("ETag", caller.headers["If-Match"])
        caller.send_header("Content-Length", str(int(last) - int(first) + 1))
        caller.send_header("Content-Range", f"bytes {first}-{last}/{int(last) + 1}")
        caller.end_headers()
        caller.close_connection = True
        with suppress(OSError):  # the app gave it up
            while not self.is_well.wait(0.2):
                caller.wfile.write(b"0")


@contextmanager
def courier(folder: Path) -> Iterator[tuple[Courier, Dripping]]:
    """The app on a folder of its own, and the storage that drips until it is well."""
    shutil.copy(ROOT / "host.json", folder)
    (folder / "function_app.py").write_text(HASTY)
    with Azurite() as azurite, Dripping(azurite.blob_uri, f"{DRIPS}_matched") as dripping:
        make_stores(azurite.connection_string)
        with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
            files = blobs.get_container_client(OUTPUT_CONTAINER)
            with GemSimulator(files, SimulatorSettings()) as simulator:
                for job in (DRIPS, *JOBS):
                    simulator.add_job(job, ENDED)
                simulator.write_due_outputs()
                for job, content in DEADLY.items():
                    files.upload_blob(f"{job}_matched.parquet", content(), overwrite=True)
                output = dripping.instead_of(azurite.connection_string, "BlobEndpoint")
                settings = app_settings(azurite, simulator) | FAST
                settings |= {"GEM_REPORT_PAGE": "false", "GEM_OUTPUT": output}
                with Runner(folder, settings) as runner:
                    yield Courier(Stage(azurite, simulator, runner)), dripping


def register_all(up: Courier) -> None:
    """The one that drips comes first, so that all others wait for its turn."""
    for job in (DRIPS, *JOBS):
        up.register(job)


def check_all_delivered(up: Courier, dripping: Dripping) -> None:
    for job in JOBS:
        check_delivered(up, job)
    assert not delivered(up, DRIPS)
    up.receive()
    assert {event["data"]["jobRunId"] for event in up.events} == set(JOBS)
    dripping.is_well.set()
    check_delivered(up, DRIPS)


def check_delivered(up: Courier, job: str) -> None:
    wait_for(partial(delivered, up, job), what=f"{job} delivered")
    events = up.events_of(job)
    assert len({event["id"] for event in events}) == 1
    data = events[0]["data"]
    if job in DEADLY:
        assert data["outcome"] == "not_audited", job
        assert failed_checks(events[0]) == {"auditable"}
    else:
        assert data["outcome"] == "valid", (job, failed_checks(events[0]))
        assert data["input"]["idsCompared"], job


def delivered(up: Courier, job: str) -> bool | None:
    """None also while nothing answers; a host that has ended is started again, as Azure does."""
    if not up.up.runner.running:
        up.up.runner.stop()  # closes the log of the one that ended
        try:
            up.up.runner.start()
        except ChildError:  # its worker was killed while it started
            return None
    try:
        answer = up.call("GET", f"jobs/{job}")
    except (requests.ConnectionError, requests.Timeout):
        return None
    return True if answer.ok and answer.json()["stage"] == "delivered" else None


def test_deadly_files_and_a_dripping_one_harm_no_good_one(tmp_path: Path) -> None:
    """All others are delivered while it drips; whose turn comes when depends on the machine."""
    with courier(tmp_path) as (up, dripping):
        register_all(up)
        check_all_delivered(up, dripping)
        assert "worker process ended" not in up.log()
        # On a busy machine a range of another file may take 3 s, too.
        postponed = [line for line in up.log().splitlines() if "delivery_postponed" in line]
        turns = [line for line in postponed if DRIPS in line]
        assert turns
        assert all("bytes did not come in" in line for line in turns)


@pytest.mark.parametrize("seed", SEEDS)
def test_kills_at_random_lose_nothing(seed: int, tmp_path: Path) -> None:
    with courier(tmp_path) as (up, dripping):
        register_all(up)
        over = Event()
        kills = Thread(target=_kill_at_random, args=(up.up.runner, Random(seed), over))
        kills.start()
        try:
            check_all_delivered(up, dripping)
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
        try:
            worker = runner.worker_pid
        except IndexError:  # it is being started again, and has no worker yet
            continue
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
