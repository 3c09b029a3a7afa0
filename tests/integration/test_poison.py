"""A ticket that fails too often is counted, listed with its job, and replayed by the command."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient

from devkit.simulator import CLEAN
from devkit.stage import QUEUE, ROOT, stage
from tests.integration.courier import FAST, Courier, wait_for

pytestmark = pytest.mark.azurite

SLOW_SWEEP = {"GEM_REPEAT_TICKET_AFTER_MINUTES": "60", "GEM_REPORT_PAGE": "false"}
"""So that nobody but the replay delivers in time."""


def manager(settings: Path, *words: str) -> str:
    """What a command says, run as a program."""
    done = subprocess.run(
        [sys.executable, "-m", "gem_core", *words, "--settings", str(settings)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_what_failed_five_times_is_delivered_by_a_replay(tmp_path: Path) -> None:
    with stage(time_scale=600, overrides=FAST | SLOW_SWEEP, hold_seconds=1) as up:
        courier = Courier(up)
        settings = tmp_path / "settings.json"
        settings.write_text(json.dumps({"Values": dict(up.runner.settings)}))
        queue = QueueClient.from_connection_string(up.azurite.connection_string, QUEUE)
        with queue:
            queue.delete_queue()
            up.simulator.add_job("job-1", replace(CLEAN, queued_for=0, running_for=0), rows=40)
            courier.register("job-1")
            wait_for(lambda: poisoned(courier) or None, what="a tick that counts it")
            (message,) = json.loads(manager(settings, "poison", "list", "--json"))["messages"]
            assert (message["jobRunId"], message["stage"]) == ("job-1", "settled")
            assert message["tickets"] == 1
            (trouble,) = courier.call("GET", "poison").json()["messages"]
            assert trouble == message
            queue.create_queue()
        assert manager(settings, "poison", "replay") == "job-1: ticket_raised\n"
        assert courier.delivered("job-1")["tickets"] == 2
        assert len(courier.events_of("job-1")) == 1
        wait_for(lambda: poisoned(courier) == 0 or None, what="a tick that counts none")
        assert courier.call("POST", "poison/replay").json() == {"messages": []}


def poisoned(courier: Courier) -> int | None:
    """How many failed messages the last tick has counted."""
    last = courier.call("GET", "status").json()["lastTick"]
    return last["poisonMessages"] if last else None
