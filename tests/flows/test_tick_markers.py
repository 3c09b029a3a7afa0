"""Ticks at the same time as other ticks and requests: which markers are deleted, and which stay."""

from datetime import timedelta
from threading import Thread

import pytest

from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.outcome import Outcome
from gem_core.watch.heartbeat import Tick
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.registry import ORPHAN_AGE
from tests.builders import JOB, World, answer, logged, new_record
from tests.fakes import START, FakeClock
from tests.flows.build import world_of


def test_two_ticks_at_once_settle_a_job_once() -> None:
    world = world_of("a", "b", "c", gem_answer=answer("finished"))
    ticks: list[Tick] = []
    both = [Thread(target=lambda: ticks.append(check_jobs(world.checker))) for _ in range(2)]
    for tick in both:
        tick.start()
    for tick in both:
        tick.join()
    assert sum(tick.settled for tick in ticks) == 3
    assert all(world.record(job_run_id).tickets == 1 for job_run_id in "abc")


def test_a_marker_without_a_record_is_deleted_when_it_is_an_hour_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of()
    world.registry.mark_open(new_record())
    for _ in range(60):
        check_jobs(world.checker)
        world.clock.move(minutes=1)
        assert world.marked()
    assert not logged(caplog, "job_forgotten")
    check_jobs(world.checker)
    assert not world.marked()
    assert [line["job_run_id"] for line in logged(caplog, "job_forgotten")] == [JOB]
    assert world.gem.asked == []


@pytest.mark.parametrize("hours", [-24, -2, 0, 2, 24])
def test_steps_of_our_clock_make_no_marker_older(hours: float) -> None:
    """A registration takes six minutes to write its record. Each tick has another time."""
    world = world_of()
    storage = world.clock
    world.clock = FakeClock()
    world.registry.mark_open(new_record())
    for number in range(6):
        world.clock.now = storage.now + timedelta(hours=hours * (number % 2))
        check_jobs(world.checker)
        assert world.marked()
        storage.move(minutes=1)
    storage.move(ORPHAN_AGE)
    world.clock.now = storage.now + timedelta(hours=hours)
    check_jobs(world.checker)
    world.clock.move(ORPHAN_AGE)
    check_jobs(world.checker)
    assert not world.marked()


def delivered_but_marked() -> World:
    """The state after a delivery that died before it deleted its marker."""
    world = world_of(JOB)
    stored = world.registry.get(JOB)
    assert stored
    delivered = stored.record.settled(Settlement.FAILED, START).delivered(
        Outcome.FAILED, "id", START
    )
    world.registry.replace(stored, delivered)
    world.registry.mark_open(delivered)
    return world


def test_a_marker_of_a_delivered_job_is_deleted_when_it_is_an_hour_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = delivered_but_marked()
    before = world.record()
    check_jobs(world.checker)
    world.clock.move(ORPHAN_AGE - timedelta(seconds=1))
    check_jobs(world.checker)
    assert world.marked()
    world.clock.move(seconds=1)
    check_jobs(world.checker)
    assert not world.marked()
    assert world.record() == before
    assert not logged(caplog, "job_forgotten")
    assert world.gem.asked == []


def test_a_tick_during_a_redelivery_keeps_its_marker() -> None:
    # The marker is written, but the record is not written for a long time. The marker looks like
    # one that was left behind.
    world = delivered_but_marked()
    other = World(clock=world.clock)
    other.jobs, other.worklist = world.jobs, world.worklist

    def tick() -> None:
        if world.trap.calls[-1] == "worklist.put":
            world.clock.move(minutes=20)
            check_jobs(other.checker)

    world.trap.check = tick
    redeliver_job(world.manager, JOB)
    assert world.record().stage is Stage.SETTLED
    assert world.marked()


LOOK = ["jobs.get", "worklist.replace", "worklist.page"]
"""The calls of a tick before it deletes a marker."""


@pytest.mark.parametrize("call", LOOK)
def test_a_redelivery_during_the_deletion_of_old_markers_keeps_its_marker(call: str) -> None:
    # The tick has read "delivered" and is about to delete the old marker.
    world = delivered_but_marked()
    check_jobs(world.checker)
    world.clock.move(ORPHAN_AGE)
    other = World(clock=world.clock)
    other.jobs, other.worklist, other.tickets = world.jobs, world.worklist, world.tickets
    world.trap.calls.clear()

    def redeliver() -> None:
        if world.trap.calls[-1] == call:
            redeliver_job(other.manager, JOB)

    world.trap.check = redeliver
    check_jobs(world.checker)
    assert world.record().stage is Stage.SETTLED
    assert world.marked()


@pytest.mark.parametrize("call", LOOK)
def test_a_registration_during_the_deletion_of_old_markers_keeps_its_marker(call: str) -> None:
    # The tick has found no record for an old marker; now the job is registered again.
    world = world_of()
    world.registry.mark_open(new_record())
    check_jobs(world.checker)
    world.clock.move(ORPHAN_AGE)
    other = World(clock=world.clock)
    other.jobs, other.worklist = world.jobs, world.worklist

    def register() -> None:
        if world.trap.calls[-1] == call:
            other.add(JOB)

    world.trap.check = register
    check_jobs(world.checker)
    assert world.record().stage is Stage.WATCHING
    assert world.marked()


def test_a_marker_that_differs_from_its_record_is_corrected() -> None:
    world = world_of(JOB)
    stored = world.registry.get(JOB)
    assert stored
    later = START + timedelta(hours=1)
    world.registry.replace(stored, stored.record.due(later))
    world.registry.mark_open(stored.record)
    check_jobs(world.checker)
    assert world.gem.asked == []
    assert [line.due_at for line in world.registry.open_jobs()] == [later]
