"""Poison queues with the tickets of jobs."""

import json

from gem_core.flows.manage_jobs import JobManager
from tests.builders import World
from tests.fakes import FakePoison

TICKETS = "gem-tickets"


def ticket(job_run_id: str) -> str:
    return json.dumps({"ContainerName": TICKETS, "BlobName": f"{job_run_id}.json"})


def manager(world: World, *texts: str) -> tuple[JobManager, FakePoison]:
    queue = FakePoison()
    for text in texts:
        queue.put(text)
    world.poison = (world.trap.around(queue, "poison"),)
    return world.manager, queue
