"""The contract of the details endpoint over real HTTP, seen by `requests`."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from devkit.simulator import LIVES, NEWER, Life
from gem_core.gem.contracts import known
from tests.devkit.simulator_client import SimulatorClient

EXAMPLES = Path(__file__).parents[1] / "data" / "gem"


def test_a_clean_job_has_exactly_the_fields_of_the_page_at_each_stage(
    client: SimulatorClient,
) -> None:
    client.simulator.add_job("job-1", Life("clean", queued_for=10, running_for=100))
    common = {
        "jobRunId": "job-1",
        "storageId": "storage-001",
        "inputFileName": "job-1.parquet",
        "matchingType": "road",
        "overtureRelease": "2026-01-21.0",
        "createdAt": "2026-01-20T10:00:00Z",
    }
    assert client.get("job-1").json() == common | {
        "status": "queued",
        "modifiedAt": "2026-01-20T10:00:00Z",
    }
    client.clock.move(75)
    assert client.get("job-1").json() == common | {
        "status": "running",
        "progress": 65,
        "modifiedAt": "2026-01-20T10:01:15Z",
    }
    assert set(client.memory.blobs) == {"job-1.parquet"}
    client.clock.move(35)
    finished = client.get("job-1")
    assert "job-1_matched.parquet" in client.memory.blobs
    assert finished.headers["Content-Type"] == "application/json"
    details = finished.json()
    assert details.pop("statistics").keys() == example("finished")["statistics"].keys()
    assert details == common | {
        "outputFileName": "job-1_matched.parquet",
        "status": "finished",
        "modifiedAt": "2026-01-20T10:01:50Z",
    }
    assert list(finished.json()) == list(example("finished"))
    assert known.read(finished.json(), job_run_id="job-1").drift == ()


def example(status: str) -> dict[str, Any]:
    details: dict[str, Any] = json.loads((EXAMPLES / f"{status}.json").read_bytes())
    return details


def test_the_page_job_answers_with_the_bytes_of_the_page_and_a_file_that_fits(
    client: SimulatorClient,
) -> None:
    client.simulator.add_job("job-abc123-def456", LIVES["page"])
    assert client.get("job-abc123-def456").content == (EXAMPLES / "finished.json").read_bytes()
    output = pq.read_table(BytesIO(client.memory.blobs["your_data_matched.parquet"]))
    statuses = output.column("match_status").to_pylist()
    assert len(statuses) == 32_456
    assert f"{100 * statuses.count('matched') / len(statuses):.2f}" == "84.68"
    with pytest.raises(ValueError, match="job-abc123-def456"):
        client.simulator.add_job("job-2", LIVES["page"])


def test_the_page_job_can_run_first(client: SimulatorClient) -> None:
    client.simulator.add_job("job-abc123-def456", Life("page", 0, 60, page=True))
    assert client.get("job-abc123-def456").content == (EXAMPLES / "running.json").read_bytes()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"tomtom-api-key": None}, 401),
        ({"tomtom-api-key": "wrong"}, 401),
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic simulator-token"}, 401),
        ({"X-Version": None}, 400),
        ({"X-Version": "2"}, 400),
        ({"tomtom-api-key": None, "X-Version": None}, 401),
    ],
)
def test_missing_or_wrong_headers_are_refused(
    client: SimulatorClient, changes: dict[str, str | None], status: int
) -> None:
    client.simulator.add_job("job-1")
    answer = client.get("job-1", headers=changes)
    assert answer.status_code == status
    assert answer.json()["detailedError"].keys() == {"code", "message"}
    assert client.simulator.job("job-1").asked == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/maps/orbis/platform/gem/jobs/job-2", 404),
        ("GET", "/maps/orbis/platform/gem/jobs/a/b", 404),
        ("GET", "/maps/orbis/platform/gem/jobs/", 404),
        ("GET", "/maps/orbis/platform/gem/job/job-1", 404),
        ("GET", "/", 404),
        ("DELETE", "/maps/orbis/platform/gem/jobs", 405),
        ("DELETE", "/maps/orbis/platform/gem/jobs/job-1", 405),
        ("PATCH", "/maps/orbis/platform/gem/jobs/job-1", 405),
        ("HEAD", "/maps/orbis/platform/gem/jobs/job-1", 405),
        ("GET", "/token", 405),
        ("DELETE", "/control/jobs", 404),
    ],
)
def test_anything_else_is_404_or_405(
    client: SimulatorClient, method: str, path: str, status: int
) -> None:
    client.simulator.add_job("job-1")
    answer = client.session.request(method, client.simulator.origin + path, timeout=60)
    assert answer.status_code == status


def test_a_job_id_is_one_percent_encoded_segment(client: SimulatorClient) -> None:
    client.simulator.add_job("job/ü 1", input_file_name="x.parquet")
    assert client.get("job%2F%C3%BC%201").json()["jobRunId"] == "job/ü 1"


def test_all_tokens_die_at_once_and_new_ones_have_a_life(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1")
    assert client.get("job-1").status_code == 200
    assert client.control("POST", "tokens/expire").status_code == 204
    assert client.get("job-1").status_code == 401
    token = client.session.post(f"{client.simulator.origin}/token", timeout=60).json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    fresh = client.headers(Authorization=f"Bearer {token['access_token']}")
    client.clock.move(3599)
    assert client.get("job-1", headers=fresh).status_code == 200
    client.clock.move(1)
    assert client.get("job-1", headers=fresh).status_code == 401


def test_a_good_token_is_refused_once(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1", LIVES["token_expiring"])
    assert [client.get("job-1").status_code for _ in range(4)] == [200, 401, 200, 200]


def test_a_vanished_job_is_404(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1", LIVES["vanishing"])
    client.clock.move(180)
    assert client.get("job-1").status_code == 404


def test_a_failed_job_has_neither_output_nor_statistics(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1", LIVES["failed"])
    client.clock.move(10_000)
    details = client.get("job-1").json()
    assert details["status"] == "failed"
    assert not {"outputFileName", "statistics", "progress"} & set(details)
    assert set(client.memory.blobs) == {"job-1.parquet"}


def test_the_list_has_the_road_jobs_of_one_generation(client: SimulatorClient) -> None:
    def listed(
        query: str = "?job_type=ROAD_MATCHING", name: str = "Accept", value: str | None = "*/*"
    ) -> tuple[int, list[str]]:
        url = f"{client.simulator.url}/jobs{query}"
        answer = client.session.get(url, headers={name: value}, timeout=60)
        jobs = answer.json().get("jobs", [])
        return answer.status_code, [str(job.get("jobRunId", job.get("job_id"))) for job in jobs]

    client.simulator.add_job("7", generation=NEWER)
    assert listed() == (404, [])
    assert listed(name="X-Version", value=None) == (200, ["7"])
    client.simulator.add_job("job-1")
    assert listed() == (200, ["job-1"])
    assert listed("") == (400, [])
    assert listed("?job_type=LANE") == (400, [])
    assert listed(name="tomtom-api-key", value="wrong") == (401, [])
