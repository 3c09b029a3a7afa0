"""The whole app with routes: two listeners get all of theirs while a third one's queue is gone."""

import json
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from devkit.simulator import CLEAN
from devkit.simulator.life import Ending
from devkit.stage import QUEUE, ROOT, stage
from tests.builders import check_manifest
from tests.integration.courier import FAST, Courier, wait_for

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

JOBS = 6
MAPS, NIGHT = "gem-maps", "gem-night"
ROUTES = [{"queue": MAPS, "labels": {"team": "maps"}}, {"queue": NIGHT, "outcomes": ["failed"]}]
LISTENER = ROOT / "examples" / "listeners" / "python" / "listen.py"


def heard(courier: Courier, queue: str) -> list[dict[str, Any]]:
    """What the example listener reads from a queue; it has one memory for each."""
    memory = f"{courier.up.runner.log_path}.{queue}.sqlite"
    done = subprocess.run(
        [sys.executable, LISTENER, "--connection-string", courier.up.azurite.connection_string,
         "--queue", queue, "--handled", memory, "--once", "--json"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def waits_for(courier: Courier, job_run_id: str) -> list[str] | None:
    attempts = courier.record(job_run_id)["attempts"]
    return (attempts or {}).get("pending")


def test_each_listener_gets_all_of_its_manifests() -> None:
    overrides = FAST | {"GEM_RESULTS_ROUTES": json.dumps(ROUTES), "GEM_REPORT_PAGE": "false"}
    with stage(overrides=overrides) as up:
        courier = Courier(up)
        queues = QueueServiceClient.from_connection_string(up.azurite.connection_string)
        queues.delete_queue(MAPS)
        for number in range(JOBS):
            ending = Ending.FINISHED if number % 3 else Ending.FAILED
            life = replace(CLEAN, queued_for=0, running_for=0, ending=ending)
            up.simulator.add_job(f"job-{number}", life, rows=40)
            courier.register(f"job-{number}", labels={"team": ("maps", "other")[number % 2]})
        jobs = {f"job-{number}" for number in range(JOBS)}
        of_maps = {f"job-{number}" for number in range(0, JOBS, 2)}
        for job_run_id in sorted(jobs - of_maps):
            courier.delivered(job_run_id)
        for job_run_id in sorted(of_maps):
            left = wait_for(partial(waits_for, courier, job_run_id), what=job_run_id)
            assert left == [MAPS]
        default, night = heard(courier, QUEUE), heard(courier, NIGHT)
        assert {event["data"]["jobRunId"] for event in default} == jobs
        assert {event["data"]["jobRunId"] for event in night} == {"job-0", "job-3"}
        queues.create_queue(MAPS)
        for job_run_id in of_maps:
            assert set(courier.delivered(job_run_id)["sentTo"]) >= {"default", MAPS}
        maps = heard(courier, MAPS)
        assert {event["data"]["jobRunId"] for event in maps} == of_maps
        assert heard(courier, QUEUE) == []  # nothing came twice to those who had it
        by_id = {event["id"]: event for event in default}
        for event in (*maps, *night):
            assert event == by_id[event["id"]]
            check_manifest(json.dumps(event))
        resent = f"redeliver?route={MAPS}"
        assert courier.call("POST", f"jobs/job-0/{resent}").status_code == 202
        assert courier.delivered("job-0")["stage"] == "delivered"
        chosen = {"outcome": "valid", "changedBefore": "2100-01-01T00:00:00Z", "label": "team:maps"}
        shown = courier.call("POST", resent, json=chosen).json()["jobs"]
        again = ["job-0", *(each["jobRunId"] for each in shown)]
        assert again == ["job-0", "job-2", "job-4"]
        for job_run_id in again:
            courier.delivered(job_run_id)
        messages = list(queues.get_queue_client(MAPS).peek_messages(32))
        found = [json.loads(b64decode(message.content))["data"]["jobRunId"] for message in messages]
        assert sorted(found) == again
        assert not list(queues.get_queue_client(QUEUE).peek_messages(1))
        queues.close()
