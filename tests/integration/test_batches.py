"""With `GEM_CHECK_BATCH_SIZE` ticks send batches and `check_batch` asks, on real storage."""

import json
from dataclasses import replace

import pytest

from devkit.simulator import CLEAN
from devkit.stage import stage
from tests.integration.courier import FAST, Courier

pytestmark = pytest.mark.azurite

JOBS = [f"job-{number}" for number in range(4)]


def test_jobs_are_watched_by_batches_from_start_to_manifest() -> None:
    """Ticks ask nothing; every question comes from a batch, and every job is delivered."""
    with stage(time_scale=600, overrides=FAST | {"GEM_CHECK_BATCH_SIZE": "1"}) as up:
        courier = Courier(up)
        for job in JOBS:
            up.simulator.add_job(job, replace(CLEAN, queued_for=0, running_for=600))
            courier.register(job)
        outcomes = [courier.events_of(job)[0]["data"]["outcome"] for job in JOBS]
        checks = [courier.delivered(job)["timesChecked"] for job in JOBS]
        lines = [
            json.loads(line[line.index('{"event"') :])
            for line in courier.log().splitlines()
            if '{"event"' in line
        ]
    assert outcomes == ["valid"] * len(JOBS)
    ticks = [line for line in lines if line["event"] == "tick_ended"]
    batches = [line for line in lines if line["event"] == "batch_checked"]
    assert sum(tick["checked"] for tick in ticks) == 0
    assert sum(tick["handed_out"] for tick in ticks) >= len(JOBS)
    assert sum(batch["checked"] for batch in batches) == sum(checks)
    assert sum(batch["settled"] for batch in batches) == len(JOBS)
