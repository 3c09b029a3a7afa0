"""The simulator with real blob storage, and as a command."""

import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import requests
from azure.storage.blob import ContainerClient

from devkit.azurite import Azurite
from devkit.simulator import LIVES, GemSimulator, SimulatorSettings

ROOT = Path(__file__).parents[2]


def test_the_output_is_in_the_container_when_finished_is_said(azurite: Azurite) -> None:
    with (
        ContainerClient.from_connection_string(azurite.connection_string, "simulated") as container,
        GemSimulator(container, SimulatorSettings(time_scale=1e6)) as simulator,
    ):
        container.create_container()
        simulator.add_job("job-1", LIVES["clean"], rows=100)
        details = requests.get(
            f"{simulator.url}/jobs/job-1",
            headers={
                "tomtom-api-key": simulator.api_key,
                "Authorization": f"Bearer {simulator.token}",
                "X-Version": "1",
            },
            timeout=60,
        ).json()
        blob = container.download_blob(details["outputFileName"])
        output = pq.read_table(BytesIO(blob.readall()))
        sent = pq.read_table(BytesIO(container.download_blob("job-1.parquet").readall()))
    assert output.select(sent.column_names).equals(sent)
    assert details["statistics"]["num_roads_processed"] == output.num_rows
    written = blob.properties.last_modified
    assert f"{written:%Y-%m-%dT%H:%M:%SZ}" <= details["modifiedAt"]


def test_the_command_says_where_it_is_and_ends_on_a_signal(azurite: Azurite) -> None:
    environment = os.environ | {"GEM_OUTPUT": azurite.connection_string}
    with subprocess.Popen(
        [sys.executable, "-m", "devkit.simulator", "--container", "from-command"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            line = next(line for line in lines if line.startswith("GEM_API_BASE_URL="))
            base = line.strip().removeprefix("GEM_API_BASE_URL=")
            assert requests.get(f"{base}/jobs/job-1", timeout=60).status_code == 401
        finally:
            process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == 0
    assert complaints == ""
