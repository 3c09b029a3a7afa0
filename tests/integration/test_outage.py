"""Our own storage is away while jobs end: no poison, nothing lost.

The gate plays a few seconds. `OUTAGE_SECONDS` and `OUTAGE_JOBS` play longer ones, and `OUTAGE_HOST`
plays them also behind a program with the host's own extensions. Half an hour in virtual time, with
each part of storage, is in `tests/world/test_outages.py`.
"""

import os
from functools import partial

import pytest

from tests.integration.outages import Start, behind, in_the_runner, play

pytestmark = [pytest.mark.azurite, pytest.mark.slow]

SECONDS = float(os.environ.get("OUTAGE_SECONDS", "5"))
JOBS = int(os.environ.get("OUTAGE_JOBS", "12"))
HOST = os.environ.get("OUTAGE_HOST", "")


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(in_the_runner, id="runner"),
        pytest.param(
            partial(behind, HOST),
            id="extensions",
            marks=pytest.mark.skipif(not HOST, reason="OUTAGE_HOST names no program"),
        ),
    ],
)
def test_an_outage_while_jobs_end(start: Start) -> None:
    outcome = play(start, seconds=SECONDS, jobs=JOBS)
    assert outcome.refused
    assert (outcome.lost, outcome.second_ids, outcome.not_valid) == (0, 0, 0)
    assert outcome.poison == 0
