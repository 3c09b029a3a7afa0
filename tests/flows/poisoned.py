"""Poison queues with the tickets of jobs."""

import json

from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.manage_jobs import JobManager
from gem_core.watch.batch import BatchPlan
from tests.builders import World, answer
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


def undelivered(*job_run_ids: str) -> World:
    """Settled jobs whose tickets did not lead to a delivery."""
    world = World()
    for job_run_id in job_run_ids:
        world.settle(answer("failed"), job_run_id)
    world.new_tickets()
    return world


def handed_out(*job_run_ids: str) -> tuple[World, str]:
    """Watched jobs, and the message of the batch that claimed them."""
    world = World(plan=BatchPlan(size=9, concurrency=1))
    world.gem.answers |= {each: [answer("running")] for each in job_run_ids}
    world.add(*job_run_ids)
    check_jobs(world.checker)
    (message,) = world.batches.take()
    return world, message
