"""An output that needs more memory than an audit has, and later an instance that has more."""

import os
import sys
from dataclasses import replace
from typing import Any

import pytest

from gem_core.audit.child.engine import Engine
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.outcome import Outcome
from tests.audit import bombs
from tests.audit.child.children import LIMITS
from tests.builders import JOB, OUTPUT, World, finished
from tests.flows.build import delivered


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")
def test_a_redelivery_with_more_memory_is_a_manifest_of_its_own() -> None:
    """With one id for both, listeners would drop the second as seen."""
    world = World()
    world.settle(finished(statistics={}))
    world.files.write(OUTPUT, bombs.huge_page(127 << 20))
    events: list[dict[str, Any]] = []
    for mebibytes in (200, 1200):
        with Engine(replace(LIMITS, data_bytes=mebibytes << 20), os.environ) as engine:
            world.audit = engine.audit
            world.queue.sent.clear()
            if events:
                redeliver_job(world.manager, JOB)
            events.append(delivered(world))
    first, second = events
    assert first["data"]["outcome"] == Outcome.NOT_AUDITED
    # The job has no statistics, which is the warning.
    assert second["data"]["outcome"] == Outcome.VALID_WITH_WARNINGS
    assert first["data"]["output"]["etag"] == second["data"]["output"]["etag"]
    assert first["id"] != second["id"]
