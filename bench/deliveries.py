"""`make bench-deliveries`: what one small delivery costs, and a burst of 300.

Everything runs on this machine: Azurite, the GEM simulator, the app in the development runner. The
output has about 1 MB, the input 0.7 MB; both are compared, and the page has a map.
"""

import argparse
import json
import os
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import requests
from azure.storage.blob import ContainerClient
from requests.adapters import HTTPAdapter

from bench.memory import Memory, children, peaks
from devkit.azurite import Azurite
from devkit.simulator import CLEAN
from devkit.simulator.large_output import LargeOutput
from devkit.simulator.roads import match_roads, road_network
from devkit.simulator.roads import statistics as job_statistics
from devkit.stage import OUTPUT_CONTAINER, Stage, make_stores, sample_settings, stage
from gem_core.audit.child.usage import usage
from gem_core.deliver.manifest import outcome_of
from gem_core.flows.deliver_results import deliver_results
from gem_core.gem.contracts import known
from gem_core.watch.record import JobRecord, Settlement
from gem_core.wiring import delivery
from gem_core.wiring.stores import stores

ROWS = 6_900
WARM_UP = 3
FAST = {
    "GEM_CHECK_SCHEDULE": "*/2 * * * * *",
    "GEM_CHECK_MIN_SECONDS": "2",
    "GEM_CHECK_MAX_SECONDS": "2",
    "GEM_CHECK_REQUESTS_PER_SECOND": "200",
}
PREPARING_SECONDS = 0.2
"""Of a job in the burst: time to upload its input and to register it, before it ends."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-deliveries", description=__doc__)
    parser.add_argument("--jobs", type=int, default=300, help="size of the burst (%(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="single deliveries (%(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = _write_files(Path(folder))
        if chosen.rounds:
            one(files, chosen.rounds)
        if chosen.jobs:
            burst(files, chosen.jobs)


def one(files: LargeOutput, rounds: int) -> None:
    """Requests and CPU of one delivery. This process plays the worker."""
    parent, child = [], []
    with Azurite() as azurite:
        make_stores(azurite.connection_string)
        storage = azurite.connection_string
        os.environ.update(sample_settings() | {"GEM_STATE": storage, "GEM_OUTPUT": storage})
        _upload(azurite, files)
        for number in range(WARM_UP + rounds):
            _settle(files, f"job-{number}")
            with _counted() as sent:
                before = _cpu(azurite)
                event = deliver_results(delivery.deliverer(), f"job-{number}")
                after = _cpu(azurite)
            if not event or outcome_of(event) != "valid":
                raise ValueError(f"the delivery went wrong: {event}")
            if number >= WARM_UP:
                parent.append(after[0] - before[0])
                child.append(after[1] - before[1])
    print(f"One delivery: output {files.size:,} bytes, input compared, page with map")
    print(f"  storage requests: {sent.total()}, {dict(sent)}")
    print(
        f"  CPU: parent {statistics.median(parent) * 1e3:.0f} ms (median of {rounds}), "
        # The system counts another process in hundredths of a second.
        f"child {statistics.mean(child) * 1e3:.0f} ms (mean)",
        flush=True,
    )


def burst(files: LargeOutput, jobs: int) -> None:
    """Jobs that end at the same moment, through the whole app."""
    with stage(overrides=FAST) as up:
        idle = {name: Memory.of(pid) for name, pid in _processes(up).items()}
        ends = time.monotonic() + jobs * PREPARING_SECONDS
        for number in range(jobs):
            _start(up, files, f"job-{number}", seconds=ends - time.monotonic())
        before = _cpu_seconds(up)
        with peaks(lambda: _processes(up)) as most:
            sent, seconds = _until_sent(up, jobs)
        cpu = (_cpu_seconds(up) - before) / jobs
    print(f"{jobs} jobs that end at the same moment:")
    for since in ("finished", "settled"):
        waited = [event[f"seconds_since_{since}"] for event in sent]
        print(
            f"  {since} to manifest: p50 {_part(waited, 50):.1f} s, p95 {_part(waited, 95):.1f} s"
        )
    print(f"  {jobs / seconds:.1f} deliveries a second, {jobs / seconds * 3600:,.0f} an hour")
    print(f"  CPU of worker and audit process: {cpu * 1e3:.0f} ms a job, with the checks of GEM")
    for name, memory in most.items():
        print(f"  {name}: idle {idle.get(name, 'not started')}; at most {memory}")


def _write_files(folder: Path) -> LargeOutput:
    roads = road_network(ROWS, seed=1)
    matched, figures = match_roads(roads, seed=1)
    output, input_ = folder / "roads_matched.parquet", folder / "roads.parquet"
    pq.write_table(matched, output)
    pq.write_table(roads, input_)
    return LargeOutput(output, output.stat().st_size, figures, input_)


def _upload(azurite: Azurite, files: LargeOutput) -> None:
    with ContainerClient.from_connection_string(
        azurite.connection_string, OUTPUT_CONTAINER
    ) as container:
        for path in (files.path, files.input_path):
            if path:
                container.upload_blob(path.name, path.read_bytes())


def _settle(files: LargeOutput, job_run_id: str) -> None:
    """Register a job that has ended."""
    now = datetime.now(UTC)
    answer = {
        "jobRunId": job_run_id,
        "status": "finished",
        "inputFileName": "roads.parquet",
        "outputFileName": files.path.name,
        "modifiedAt": (now + timedelta(seconds=1)).isoformat(timespec="seconds"),
        "statistics": job_statistics(files.figures, execution_seconds=60),
    }
    job = known.read(answer, job_run_id=job_run_id)
    record = JobRecord(job_run_id, registered_at=now, due_at=now, job=job)
    stores().registry.add(record.settled(Settlement.FINISHED, now))


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Count the HTTP requests of this process by method."""
    sent = Counter[str]()
    send = HTTPAdapter.send

    def counting(self: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> object:  # noqa: ANN401 - passed on
        sent[str(request.method)] += 1
        return send(self, request, **options)

    with patch.object(HTTPAdapter, "send", counting):
        yield sent


def _cpu(azurite: Azurite) -> tuple[float, float]:
    """CPU seconds of this process, and of its audit process."""
    used = (usage(pid) for pid in children(os.getpid()) if pid != azurite.pid)
    return time.process_time(), sum(found.cpu_seconds for found in used if found)


def _processes(up: Stage) -> dict[str, int]:
    """The process ids of the worker and of its audit process, if it has one."""
    worker = up.runner.pid
    return dict(
        zip(("worker (runner)", "audit process"), (worker, *children(worker)), strict=False)
    )


def _cpu_seconds(up: Stage) -> float:
    used = map(usage, _processes(up).values())
    return sum(found.cpu_seconds for found in used if found)


def _start(up: Stage, files: LargeOutput, job_run_id: str, *, seconds: float) -> None:
    """Submit a job that ends after so many seconds, and register it."""
    life = replace(CLEAN, queued_for=0, running_for=max(seconds, 0))
    up.simulator.add_job(job_run_id, life, large_output=files)
    address = f"{up.runner.url}/api/jobs/{job_run_id}"
    requests.put(address, headers=up.headers, json={}, timeout=30).raise_for_status()


def _until_sent(up: Stage, jobs: int) -> tuple[list[dict[str, Any]], float]:
    """The log events of the manifests, and the seconds from the first of them to the last."""
    log, begun = Path(up.runner.log_path), 0.0
    while True:
        lines = re.findall(r'\{"event": "manifest_sent".*\}', log.read_text("utf-8"))
        if lines:
            begun = begun or time.monotonic()
        if len(lines) >= jobs:
            return [json.loads(line) for line in lines], time.monotonic() - begun
        time.sleep(0.2)


def _part(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


if __name__ == "__main__":
    main()
