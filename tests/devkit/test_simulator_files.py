"""When which file is in the container, with one in memory."""

from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq

from devkit.simulator import LIVES, SimulatorSettings
from devkit.simulator.large_output import write_large_output
from tests.devkit.simulator_client import SimulatorClient


def test_a_late_output_comes_after_finished_is_said(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1", LIVES["late_output"])
    client.clock.move(660)
    assert client.get("job-1").json()["status"] == "finished"
    assert "job-1_matched.parquet" not in client.memory.blobs
    client.clock.move(120)
    client.simulator.write_due_outputs()
    assert "job-1_matched.parquet" in client.memory.blobs


def test_an_output_is_overwritten_by_another_that_fits_the_statistics(
    client: SimulatorClient,
) -> None:
    client.simulator.add_job("job-1", LIVES["overwritten"])
    client.clock.move(660)
    details = client.get("job-1").json()
    first = pq.read_table(BytesIO(client.memory.blobs["job-1_matched.parquet"]))
    client.clock.move(300)
    client.simulator.write_due_outputs()
    second = pq.read_table(BytesIO(client.memory.blobs["job-1_matched.parquet"]))
    assert not first.equals(second)
    assert first.column("id").equals(second.column("id"))
    counts = [t.column("match_status").to_pylist().count("matched") for t in (first, second)]
    assert counts[0] == counts[1]
    assert client.get("job-1").json() == details


def test_a_job_is_not_finished_while_its_output_cannot_be_written(client: SimulatorClient) -> None:
    client.simulator.add_job("job-1")
    client.memory.refuse = True
    client.clock.move(10_000)
    assert client.get("job-1").status_code == 500
    client.memory.refuse = False
    assert client.get("job-1").json()["status"] == "finished"
    # The job was last updated when its output was there, never before.
    assert client.get("job-1").json()["modifiedAt"] == "2026-01-20T12:46:40Z"


def test_a_scaled_job_lives_faster_in_true_times() -> None:
    client = SimulatorClient(SimulatorSettings(time_scale=60))
    with client.simulator, client.session:
        client.simulator.add_job("job-1")
        client.clock.move(11)
        details = client.get("job-1").json()
    assert (details["status"], details["modifiedAt"]) == ("finished", "2026-01-20T10:00:11Z")
    assert details["statistics"]["execution_time_sec"] == 600


def test_a_prepared_large_output_is_streamed_into_the_container(
    client: SimulatorClient, tmp_path: Path
) -> None:
    sent = tmp_path / "big.parquet"
    large = write_large_output(
        tmp_path / "out.parquet", size=1, rows_per_group=100, input_path=sent
    )
    client.simulator.add_job("job-1", LIVES["clean"], large_output=large)
    client.clock.move(10_000)
    assert client.get("job-1").json()["statistics"]["num_roads_processed"] == 100
    assert client.memory.blobs["job-1_matched.parquet"] == large.path.read_bytes()
    assert client.memory.blobs["job-1.parquet"] == sent.read_bytes()
