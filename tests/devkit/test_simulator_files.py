"""When which file is in the container, with one in memory."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from devkit.simulator import LIVES, SimulatorSettings
from devkit.simulator.large_output import write_large_output
from tests.devkit.simulator_desk import Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk(SimulatorSettings(hold_seconds=0.01))
    with desk.simulator, desk.session:
        yield desk


def test_a_late_output_comes_after_finished_is_said(desk: Desk) -> None:
    desk.simulator.add_job("job-1", LIVES["late_output"])
    desk.clock.move(660)
    assert desk.get("job-1").json()["status"] == "finished"
    assert "job-1_matched.parquet" not in desk.memory.blobs
    desk.clock.move(120)
    desk.simulator.write_due_outputs()
    assert "job-1_matched.parquet" in desk.memory.blobs


def test_an_output_is_overwritten_by_another_that_fits_the_statistics(desk: Desk) -> None:
    desk.simulator.add_job("job-1", LIVES["overwritten"])
    desk.clock.move(660)
    told = desk.get("job-1").json()
    first = pq.read_table(BytesIO(desk.memory.blobs["job-1_matched.parquet"]))
    desk.clock.move(300)
    desk.simulator.write_due_outputs()
    second = pq.read_table(BytesIO(desk.memory.blobs["job-1_matched.parquet"]))
    assert not first.equals(second)
    assert first.column("id").equals(second.column("id"))
    counts = [t.column("match_status").to_pylist().count("matched") for t in (first, second)]
    assert counts[0] == counts[1]
    assert desk.get("job-1").json() == told


def test_a_job_is_not_finished_while_its_output_cannot_be_written(desk: Desk) -> None:
    desk.simulator.add_job("job-1")
    desk.memory.refuse = True
    desk.clock.move(10_000)
    assert desk.get("job-1").status_code == 500
    desk.memory.refuse = False
    assert desk.get("job-1").json()["status"] == "finished"
    # The job was last updated when its output was there, never before.
    assert desk.get("job-1").json()["modifiedAt"] == "2026-01-20T12:46:40Z"


def test_a_scaled_job_lives_faster_in_true_times() -> None:
    desk = Desk(SimulatorSettings(time_scale=60))
    with desk.simulator, desk.session:
        desk.simulator.add_job("job-1")
        desk.clock.move(11)
        told = desk.get("job-1").json()
    assert (told["status"], told["modifiedAt"]) == ("finished", "2026-01-20T10:00:11Z")
    assert told["statistics"]["execution_time_sec"] == 600


def test_a_prepared_large_output_is_streamed_into_the_container(desk: Desk, tmp_path: Path) -> None:
    sent = tmp_path / "big.parquet"
    large = write_large_output(
        tmp_path / "out.parquet", size=1, rows_per_group=100, input_path=sent
    )
    desk.simulator.add_job("job-1", LIVES["clean"], large_output=large)
    desk.clock.move(10_000)
    assert desk.get("job-1").json()["statistics"]["num_roads_processed"] == 100
    assert desk.memory.blobs["job-1_matched.parquet"] == large.path.read_bytes()
    assert desk.memory.blobs["job-1.parquet"] == sent.read_bytes()
