"""Bad input at the doors of the app: a clear answer, and nothing lost."""

import http.client
import json
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.storage.blob import BlobServiceClient

from devkit.runner import Runner
from devkit.simulator import CLEAN
from devkit.stage import ROOT
from gem_core.storage.names import JOBS, WORKLIST
from tests.integration.courier import Courier, wait_for

BAD_PAGES = ("after=%00", "after=%C3%A4", "after=a%0Ab", "after=" + "x" * 3000)
BAD_IDS = ("..%2Fx", "a%2Fb", "a" * 300, "%20", "stra%C3%9Fe", "a%00b", "-x", "x.", "a%3Fsv%3D1")


def put(courier: Courier, path: str, body: bytes = b"") -> tuple[int, str, dict[str, object]]:
    """A PUT whose path goes over the wire as it stands: status, content type, JSON."""
    connection = http.client.HTTPConnection(urlsplit(courier.up.runner.url).netloc, timeout=60)
    connection.request("PUT", path, body=body, headers=courier.up.headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.getheader("Content-Type", ""), json.loads(text or "{}")


@pytest.mark.parametrize("job_run_id", BAD_IDS)
def test_a_bad_job_id_is_refused(courier: Courier, job_run_id: str) -> None:
    """Refused with a sentence that says what an id may be."""
    status, kind, problem = put(courier, f"/api/jobs/{job_run_id}")
    assert (status, kind) == (400, "application/problem+json")
    assert "1 to 128" in str(problem["detail"])


@pytest.mark.parametrize("path", ["/api/jobs/a/b", "/api/jobs/"])
def test_path_that_is_no_route(courier: Courier, path: str) -> None:
    """An id that needs more than one segment, or none, meets no route."""
    assert courier.call("PUT", path.removeprefix("/api/")).status_code in {404, 405}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b'"text"', "JSON object"),
        (b'{"label": {}}', "the body has unknown members"),
        (b'{"labels": {"a": 1}}', "labels"),
        (b'{"labels": [1]}', "labels"),
        (b'{"expectedInputName": ""}', "expectedInputName"),
        (b'{"labels": {"a": "' + b"x" * 70_000 + b'"}}', "longer than"),
    ],
)
def test_a_bad_body_is_refused(courier: Courier, body: bytes, word: str) -> None:
    """Refused by name; the job is not registered."""
    status, _, problem = put(courier, "/api/jobs/job-door", body)
    assert status == 400
    assert word in str(problem["detail"])
    assert courier.call("GET", "jobs/job-door").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "stages=settled",
        "stage=done",
        "outcome=good",
        "label=team",
        "sort=name",
        "limit=0",
        "limit=many",
        "limit=100000",
        *BAD_PAGES,
    ],
)
def test_a_bad_query_is_refused(courier: Courier, query: str) -> None:
    answer = courier.call("GET", f"jobs?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize("path", ["jobs", "jobs/job-1", "status"])
def test_no_key_no_answer(courier: Courier, path: str) -> None:
    assert courier.call("GET", path, headers={}).status_code == 401


def test_health_needs_no_key_and_tells_nothing(courier: Courier) -> None:
    def look() -> dict[str, str] | None:
        answer = courier.call("GET", "health", headers={})
        return answer.json() if answer.status_code == 200 else None

    assert wait_for(look, what="a healthy answer") == {"status": "ok"}


def test_status_tells_of_the_last_tick(courier: Courier) -> None:
    def look() -> dict[str, Any] | None:
        status: dict[str, Any] = courier.status().json()
        return status if status["lastTick"] else None  # None until the app's first tick has ended

    status = wait_for(look, what="the first tick")
    assert status["schedule"] == "* * * * * *"
    assert {"openJobs", "oldestDueAt", "startedAt"} <= set(status["lastTick"])


def test_a_second_registration_changes_nothing(courier: Courier) -> None:
    """The second time changes nothing."""
    first = courier.call("PUT", "jobs/job-twice", json={"labels": {"team": "maps"}})
    again = courier.call("PUT", "jobs/job-twice", json={"labels": {"team": "other"}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["labels"] == {"team": "maps"}
    assert courier.call("DELETE", "jobs/job-twice").status_code == 204
    assert courier.call("GET", "jobs/job-twice").status_code == 404


def loud(courier: Courier, text: str) -> bool | None:
    """Whether the log holds a text, for `wait_for`."""
    return text in courier.log() or None


def test_records_that_cannot_be_read_are_left_alone(courier: Courier) -> None:
    """Loudly, at each tick, while the other jobs go on."""
    bodies = {"job-newer": b'{"schemaVersion": 99, "jobRunId": "job-newer"}', "job-torn": b'{"sch'}
    with BlobServiceClient.from_connection_string(courier.up.azurite.connection_string) as blobs:
        jobs, worklist = (blobs.get_container_client(name) for name in (JOBS, WORKLIST))
        for job, body in bodies.items():
            jobs.upload_blob(f"{job}.json", body)
            worklist.upload_blob(f"jobs/{job}", b"")
        courier.up.simulator.add_job("job-beside", replace(CLEAN, queued_for=0, running_for=0))
        courier.register("job-beside")
        assert courier.events_of("job-beside")[0]["data"]["outcome"] == "valid"
        for job, body in bodies.items():
            logged = partial(loud, courier, f'"event": "record_unreadable", "job_run_id": "{job}"')
            wait_for(logged, what=f"a line about {job}")
            assert courier.call("GET", f"jobs/{job}").status_code == 500
            assert jobs.download_blob(f"{job}.json").readall() == body
            jobs.delete_blob(f"{job}.json")
            worklist.delete_blob(f"jobs/{job}")


def test_settings_that_are_wrong_are_named_all_at_once(courier: Courier) -> None:
    """By the routes and by the timer; the app starts, so that somebody can see it."""
    settings = {
        "AzureWebJobsStorage": courier.up.azurite.connection_string,
        "AzureFunctionsWebHost__hostid": "settings-test",
        "GEM_STATE": courier.up.azurite.connection_string,
        "GEM_CHECK_SCHEDULE": "* * * * * *",
        "GEM_API_KEY": "@Microsoft.KeyVault(SecretUri=https://vault/secrets/key/)",
        "GEM_LOST_AFTER_MINUTES": "soon",
    }
    wrong = ("GEM_API_KEY", "GEM_OUTPUT", "GEM_LOST_AFTER_MINUTES")
    with Runner(ROOT, settings) as runner:
        broken = Courier(type(courier.up)(courier.up.azurite, courier.up.simulator, runner))
        answer = broken.call("GET", "jobs")
        wait_for(
            lambda: "missing or invalid settings" in broken.log() or None, what="the timer's error"
        )
        health = broken.call("GET", "health", headers={})
        log = broken.log()
    assert answer.status_code == 500
    assert health.status_code == 503
    for name in wrong:
        assert name in answer.json()["detail"]
        assert name in log
