"""The three listeners that people copy read jobs of the demo, each from a queue of its own."""

import json
import subprocess
import sys
from base64 import b64decode
from importlib import import_module
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from devkit.demo import ACTS, register
from devkit.stage import QUEUE, Stage, stage
from gem_core.outcome import Outcome
from tests.examples.listeners import FOLDER, call_node
from tests.integration.courier import FAST, Courier

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

PYTHON, NODE = "gem-python", "gem-node"
SETTINGS = {
    "GEM_RESULTS_ROUTES": json.dumps([{"queue": PYTHON}, {"queue": NODE}]),
    "GEM_REPORT_PAGE": "false",
}
JOBS = {act.expected: act for act in reversed(ACTS)}
"""The first job of the demo for each outcome."""
FOR_A_PERSON = {Outcome.INVALID, Outcome.NOT_AUDITED}


def entries(up: Stage, queue: str) -> list[str]:
    """The messages of a queue, decoded as the Functions host gives them to a trigger."""
    with QueueServiceClient.from_connection_string(up.azurite.connection_string) as queues:
        messages = queues.get_queue_client(queue).receive_messages(max_messages=32)
        return [b64decode(message.content).decode() for message in messages]


def by_plain_python(up: Stage, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, FOLDER / "listen.py", "--connection-string", up.azurite.connection_string,
         "--queue", QUEUE, "--once", "--handled", folder / "handled.sqlite"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def by_a_python_function(up: Stage, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level("INFO")
    with (
        pytest.MonkeyPatch.context() as patch,
        BlobServiceClient.from_connection_string(up.azurite.connection_string) as blobs,
    ):
        patch.syspath_prepend(FOLDER)
        on_manifest = import_module("on_manifest").on_manifest
        memory = blobs.create_container("handled")
        assert all(on_manifest(entry, memory) for entry in entries(up, PYTHON))
    return [line.getMessage() for line in caplog.records if line.name == "root"]


def by_a_node_function(up: Stage, folder: Path) -> list[str]:
    _registered, _client, *lines = call_node(folder, [json.loads(e) for e in entries(up, NODE)])
    assert set(lines[1::2]) == {"true"}
    return lines[::2]


def test_each_listener_reads_every_outcome_of_the_demo(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with stage(time_scale=600, overrides=FAST | SETTINGS) as up:
        for act in JOBS.values():
            register(up, act)
        courier = Courier(up)
        for act in JOBS.values():
            courier.delivered(act.job_run_id)
        read = {
            "plain Python": by_plain_python(up, tmp_path),
            "Python function": by_a_python_function(up, caplog),
            "Node function": by_a_node_function(up, tmp_path),
        }
    for listener, lines in read.items():
        sys.stdout.write("\n".join((f"{listener}:", *lines, "")))
        assert len(lines) == len(JOBS)
        for act in JOBS.values():
            (line,) = [line for line in lines if act.job_run_id in line]
            assert act.expected in line
            assert ("a person must look" in line) == (act.expected in FOR_A_PERSON)
