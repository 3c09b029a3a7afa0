"""A machine's wrong clock ends, drops and deletes nothing: storage says the time."""

from datetime import datetime, timedelta
from typing import override

import pytest

from gem_core.errors import GemJobNotFound
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job, register_job
from gem_core.gem.contracts import known
from gem_core.moments import moment_text
from gem_core.storage.clock import StorageClock
from gem_core.watch.discovery import Discovery
from gem_core.watch.record import Settlement, Stage
from tests.builders import JOB, OUTPUT, World, answer, finished, matched_file, policy
from tests.fakes import START, FakeClock, FakeGem, GemAnswer

STEPS = [timedelta(hours=hours) for hours in (-24, -2, 2, 24)]
HOUR = timedelta(hours=1)


class Machine(FakeClock):
    """What the app knows of the time on a machine whose clock is wrong. `move` moves the true time,
    which is storage's.
    """

    def __init__(self, storage: FakeClock) -> None:
        super().__init__()
        self.wrong_by = timedelta(0)
        self.storage = storage
        self.app = StorageClock(self._monotonic, self._machine)

    def _monotonic(self) -> float:
        return (self.storage() - START).total_seconds()

    def _machine(self) -> float:
        return (self.storage() + self.wrong_by).timestamp()

    @override
    def __call__(self) -> datetime:
        return self.app()

    @override
    def move(self, by: timedelta | None = None, **parts: float) -> None:
        self.storage.move(by, **parts)

    def answered(self) -> None:
        """Storage answers a request."""
        self.app.answered(self.storage().replace(microsecond=0), timedelta(0))


def world_of(gem_answer: GemAnswer) -> tuple[World, Machine]:
    """A world on such a machine; nothing is registered. Jobs expire after two hours."""
    world = World(gem=FakeGem(**{JOB: [gem_answer]}), policy=policy(job_deadline=2 * HOUR))
    world.clock = machine = Machine(world.clock)
    world.trap.check = machine.answered
    machine.answered()
    return world, machine


def run(world: World, lasts: timedelta) -> None:
    """A tick a minute; each ticket is delivered."""
    for _ in range(int(lasts / timedelta(minutes=1))):
        check_jobs(world.checker)
        for job_run_id in world.new_tickets():
            deliver_results(world.deliverer, job_run_id)
        world.clock.move(minutes=1)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_job_expires_after_its_time(step: timedelta) -> None:
    world, machine = world_of(answer("running"))
    register_job(world.manager, JOB, {})
    machine.wrong_by = step
    run(world, 2 * HOUR)
    assert world.record().stage is Stage.WATCHING
    run(world, HOUR)
    assert world.record().settlement is Settlement.EXPIRED


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_job_expires_after_its_time_though_the_clock_was_wrong_at_its_registration(
    step: timedelta,
) -> None:
    world, machine = world_of(answer("running"))
    machine.wrong_by = step
    register_job(world.manager, JOB, {})
    machine.wrong_by = timedelta(0)
    run(world, 2 * HOUR)
    assert world.record().stage is Stage.WATCHING
    run(world, HOUR)
    assert world.record().settlement is Settlement.EXPIRED


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_job_is_lost_after_its_time(step: timedelta) -> None:
    world, machine = world_of(GemJobNotFound("404"))
    register_job(world.manager, JOB, {})
    run(world, timedelta(minutes=5))
    machine.wrong_by = step
    run(world, timedelta(minutes=54))
    assert world.record().stage is Stage.WATCHING
    run(world, timedelta(minutes=30))
    assert world.record().settlement is Settlement.LOST


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_an_output_is_awaited_for_its_time(step: timedelta) -> None:
    world, machine = world_of(finished())
    register_job(world.manager, JOB, {})
    run(world, timedelta(minutes=2))
    machine.wrong_by = step
    run(world, world.output_grace - timedelta(minutes=5))
    assert world.record().stage is Stage.SETTLED
    world.files.write(OUTPUT, matched_file())
    run(world, timedelta(minutes=20))
    assert world.record().outcome == "valid"


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_discovery_neither_misses_a_job_nor_adds_a_removed_one_again(step: timedelta) -> None:
    world, machine = world_of(answer("running"))
    documents = world.trap.around(world.worklist, "discovery")
    ten_minutes = timedelta(minutes=10)
    world.discovery = Discovery(documents, ("roads",), max_age=24 * HOUR, every=ten_minutes)
    told = {"jobRunId": JOB, **answer("running", createdAt=moment_text(START))}
    world.gem.listed = [known.read(told)]
    machine.wrong_by = step
    run(world, timedelta(minutes=1))
    assert world.record().discovered
    forget_job(world.manager, JOB)
    run(world, 2 * HOUR)
    machine.wrong_by = timedelta(0)
    run(world, HOUR)
    assert world.jobs.names() == []
