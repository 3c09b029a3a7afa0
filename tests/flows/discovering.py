"""A world where the app discovers jobs."""

from datetime import timedelta

from gem_core.gem.contracts import known
from gem_core.gem.job import GemJob
from gem_core.moments import moment_text
from gem_core.watch.discovery import Discovery
from tests.builders import World, answer
from tests.fakes import START

EVERY = timedelta(minutes=10)


def listed(job_run_id: str, age: timedelta = timedelta(hours=1), **members: object) -> GemJob:
    created = moment_text(START - age)
    return known.read({"jobRunId": job_run_id, **answer("running", createdAt=created), **members})


def discovering(*jobs: GemJob, world: World | None = None) -> World:
    """A world where the app discovers jobs whose input begins with "roads"."""
    world = world or World()
    documents = world._watched(world.worklist, "discovery")
    world.discovery = Discovery(documents, ("roads",), max_age=timedelta(hours=24), every=EVERY)
    world.gem.listed = jobs
    for job in jobs:
        world.gem.answers.setdefault(job.job_run_id, [answer("running")])
    return world
