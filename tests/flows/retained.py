"""Jobs that are kept for 30 days after their delivery."""

from datetime import timedelta

from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.watch.retention import Retention
from tests.builders import OUTPUT, World, finished, matched_file

DAY, KEEP = timedelta(days=1), timedelta(days=30)


def keeping(world: World, *, page_size: int = 1000) -> World:
    """A world in which jobs are kept for 30 days."""
    stores = {
        name: world._watched(documents, name)
        for name, documents in (
            ("gem-jobs", world.jobs), ("gem-worklist", world.worklist),
            ("gem-tickets", world.tickets), ("gem-reports", world.reports),
            ("gem-failures", world.failures), ("gem-outbox", world.manifests),
        )
    }  # fmt: skip
    world.retention = Retention(
        stores.__getitem__, keep=KEEP, look_back=timedelta(hours=24), page_size=page_size
    )
    return world


def with_jobs(*job_run_ids: str) -> World:
    """A world with jobs that were delivered now."""
    world = keeping(World())
    world.files.write(OUTPUT, matched_file())
    for job_run_id in job_run_ids:
        world.settle(finished(), job_run_id)
        assert deliver_results(world.deliverer, job_run_id)
    return world


def a_pass(world: World, *, ticks: int = 8) -> None:
    """Ticks enough for a whole pass, a minute apart."""
    for _ in range(ticks):
        check_jobs(world.checker)
        world.clock.move(minutes=1)


def left(world: World) -> dict[str, list[str]]:
    """The names of all documents about jobs."""
    stores = world.jobs, world.tickets, world.reports, world.failures, world.manifests
    return {store._name: store.names() for store in stores if store.names()}
