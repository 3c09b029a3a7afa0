"""Jobs made over HTTP: submitted as the documentation has it, and by script."""

import json
import re

import pytest

from tests.devkit.simulator_client import SimulatorClient


def test_a_person_submits_a_job(client: SimulatorClient) -> None:
    body = {"storageId": "s", "inputFileName": "my roads.parquet", "matchingType": "road"}
    made = client.session.post(f"{client.simulator.url}/jobs", json=body, timeout=60)
    assert made.status_code == 201
    details = made.json()
    assert set(details) == {*body, "jobRunId", "overtureRelease", "status", "createdAt"}
    assert body.items() <= details.items()
    assert details["status"] == "queued"
    client.clock.move(10_000)
    assert client.get(details["jobRunId"]).json()["outputFileName"] == "my roads_matched.parquet"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"storageId": "s", "inputFileName": "x.parquet"}',
        b'{"storageId": "s", "inputFileName": "x.parquet", "matchingType": "lane"}',
        b'{"storageId": "s", "inputFileName": "..", "matchingType": "road", "overtureRelease": 1}',
        b'{"storageId": "s", "inputFileName": ".", "matchingType": "road"}',
    ],
)
def test_a_job_that_cannot_be_submitted_is_400(client: SimulatorClient, body: bytes) -> None:
    made = client.session.post(f"{client.simulator.url}/jobs", data=body, timeout=60)
    assert made.status_code == 400


def test_a_script_makes_and_remakes_a_job(client: SimulatorClient) -> None:
    script = {"life": "failed", "queuedFor": 0, "runningFor": 5, "rows": 50, "seed": 7}
    assert client.control("PUT", "jobs/job-1", json.dumps(script)).status_code == 201
    client.clock.move(5)
    assert client.get("job-1").json()["status"] == "failed"
    assert client.control("PUT", "jobs/job-1").status_code == 200
    assert client.get("job-1").json()["status"] == "queued"
    (shown,) = client.control("GET", "jobs").json()["jobs"]
    assert (shown["life"], shown["status"], shown["asked"]) == ("clean", "queued", 1)
    assert client.control("GET", "requests").json() == {"200": 2}


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("[]", "a JSON object is expected"),
        ("{", "a JSON object is expected"),
        ('{"life": "happy"}', "life is not one of"),
        ('{"rows": 0}', "rows: 1 to"),
        ('{"queuedFor": -1, "seeed": 1}', "queuedFor: .*seeed is unknown"),
        ('{"troubles": ["nope"]}', "troubles: .*nope"),
        ('{"outputFault": "nope"}', "outputFault: .*nope"),
        ('{"life": "page"}', "the documentation's example is"),
        ('{"life": "wrong_statistics", "rows": 2}', "too few"),
    ],
)
def test_a_script_that_makes_no_sense_is_400_and_says_why(
    client: SimulatorClient, script: str, problem: str
) -> None:
    answer = client.control("PUT", "jobs/job-1", script)
    assert answer.status_code == 400
    message = answer.json()["detailedError"]["message"]
    assert re.search(problem, message)
