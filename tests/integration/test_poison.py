"""A ticket that fails too often is counted, listed with its job, and replayed by the command."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.simulator import CLEAN
from devkit.stage import ROOT, stage
from gem_core.storage.names import JOBS
from tests.integration.courier import FAST, Courier, wait_for
from tests.integration.event_bus import post_event

pytestmark = pytest.mark.azurite

BY_HAND = {
    "GEM_REPEAT_TICKET_AFTER_MINUTES": "60",
    "GEM_REPORT_PAGE": "false",
    "RUNNER_BLOB_EVENTS": "false",
}
"""So that nothing is delivered unless this test posts the event of a ticket."""


def manager(settings: Path, *words: str) -> str:
    """What a command says, run as a program."""
    done = subprocess.run(
        [sys.executable, "-m", "gem_core", *words, "--settings", str(settings)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_failed_five_times_is_delivered_by_a_replay(tmp_path: Path) -> None:
    """A record that this version cannot read stands for a mistake of ours."""
    with stage(time_scale=600, overrides=FAST | BY_HAND, hold_seconds=1) as up:
        courier = Courier(up)
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"Values": dict(up.runner.settings)}))
        with BlobServiceClient.from_connection_string(up.azurite.connection_string) as blobs:
            for job_run_id in ("job-1", "job-2"):
                fail_five_times(courier, blobs, job_run_id)
        wait_for(lambda: poisoned(courier) == 2 or None, what="a tick that counts them")
        first, second = json.loads(manager(settings, "poison", "list", "--json"))["messages"]
        assert {first["jobRunId"], second["jobRunId"]} == {"job-1", "job-2"}
        assert (first["stage"], first["tickets"]) == ("settled", 1)
        assert courier.call("GET", "poison").json()["messages"] == [first, second]
        trouble = courier.call("GET", "trouble").json()["jobs"]
        assert {each["trouble"] for each in trouble} == {"poison"}
        # A message that is no longer needed is removed by a tick.
        post_event(up.runner, up.azurite.blob_uri, "job-2.json", "0x2")
        courier.delivered("job-2")
        wait_for(lambda: poisoned(courier) == 1 or None, what="a tick that removes one")
        assert manager(settings, "poison", "replay") == "job-1: ticket_raised\n"
        assert courier.record("job-1")["tickets"] == 2
        post_event(up.runner, up.azurite.blob_uri, "job-1.json", "0x2")
        courier.delivered("job-1")
        assert len(courier.events_of("job-1")) == 1
        wait_for(lambda: poisoned(courier) == 0 or None, what="a tick that counts none")
        assert courier.call("POST", "poison/replay").json() == {"messages": []}


def fail_five_times(courier: Courier, blobs: BlobServiceClient, job_run_id: str) -> None:
    """Let a job settle, and its ticket fail while its record cannot be read."""
    life = replace(CLEAN, queued_for=0, running_for=0)
    courier.up.simulator.add_job(job_run_id, life, rows=40)
    courier.register(job_run_id)
    wait_for(lambda: courier.record(job_run_id)["settledAt"], what=f"{job_run_id} settled")
    record = blobs.get_blob_client(JOBS, f"{job_run_id}.json")
    body = record.download_blob().readall()
    record.upload_blob(b"{}", overwrite=True)
    moved = "was tried 5 times and was moved to webjobs-blobtrigger-poison"
    before = courier.log().count(moved)
    post_event(courier.up.runner, courier.up.azurite.blob_uri, f"{job_run_id}.json")
    wait_for(lambda: courier.log().count(moved) > before or None, what=f"{job_run_id} {moved}")
    record.upload_blob(body, overwrite=True)


def poisoned(courier: Courier) -> int | None:
    """How many failed messages the last tick has counted."""
    last = courier.status().json()["lastTick"]
    return last["poisonMessages"] if last else None
