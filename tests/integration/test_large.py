"""An output of 1 GiB: audited in the runner, in bounded memory, without reading its geometry."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from devkit.simulator import CLEAN
from devkit.simulator.large_output import write_large_output
from tests.integration.courier import Courier

GIB = 1 << 30
MIB = 1 << 20
NEEDED = {"id", "gers_id", "match_confidence", "match_status"}


def needed_bytes(path: Path) -> int:
    """The footer, and the column chunks that the checks need."""
    metadata = pq.read_metadata(path)
    chunks = (
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    )
    wanted = sum(c.total_compressed_size for c in chunks if c.path_in_schema in NEEDED)
    return int(wanted) + int(metadata.serialized_size) + 8


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
def test_an_output_of_a_gibibyte_is_audited_in_bounded_memory(
    courier: Courier, tmp_path: Path
) -> None:
    """Peak memory of the process with the app under 600 MiB; at most 5 % more bytes than needed."""
    output = tmp_path / "job-large_matched.parquet"
    large = write_large_output(output, size=GIB)
    assert output.stat().st_size >= GIB
    courier.up.simulator.add_job(
        "job-large", replace(CLEAN, running_for=60), large_output=large, upload_input=False
    )
    courier.register("job-large")
    data = courier.events_of("job-large")[0]["data"]
    assert data["outcome"] == "valid"
    assert data["output"]["bytes"] == output.stat().st_size
    line = re.search(r'\{"event": "output_audited", "job_run_id": "job-large".*\}', courier.log())
    assert line
    audited = json.loads(line[0])
    assert audited["bytes_read"] <= 1.05 * needed_bytes(output)
    status = Path(f"/proc/{courier.up.runner.worker_pid}/status").read_text("ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    assert peak < 600 * MIB
