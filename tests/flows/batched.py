"""Ticks that hand their jobs out in batches."""

from gem_core.flows.check_batch import check_batch
from gem_core.watch.batch import BatchPlan
from tests.builders import World, answer
from tests.fakes import FakeGem, GemAnswer

IDS = [f"job-{number}" for number in range(5)]


def world_of(
    *job_run_ids: str, gem_answer: GemAnswer | None = None, plan: BatchPlan | None = None
) -> World:
    each: GemAnswer = answer("running") if gem_answer is None else gem_answer
    gem = FakeGem(**{job_run_id: [each] for job_run_id in job_run_ids})
    world = World(gem=gem, plan=plan or BatchPlan(2, 3))
    world.add(*job_run_ids)
    return world


def run_all(world: World) -> None:
    for message in world.batches.take():
        check_batch(world.checker, message)
