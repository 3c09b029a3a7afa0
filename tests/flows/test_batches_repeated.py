"""Messages of batches that come twice, late or side by side ask once."""

from datetime import timedelta

import pytest

from gem_core.flows.check_batch import check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.outcome import Outcome
from gem_core.watch.batch import CLAIM_TIME
from gem_core.watch.record import Settlement, Stage
from tests.builders import World, answer, logged, new_record
from tests.fakes import START
from tests.flows.batched import IDS, run_all, world_of


def test_a_job_in_a_batch_is_sent_again_only_after_its_claim() -> None:
    world = world_of(*IDS)
    check_jobs(world.checker)
    world.batches.take()  # all messages are lost
    world.clock.move(CLAIM_TIME - timedelta(seconds=1))
    assert check_jobs(world.checker).due_jobs == 0
    world.clock.move(seconds=1)
    assert check_jobs(world.checker).handed_out == 5
    run_all(world)
    assert world.gem.asked == IDS


def test_two_ticks_at_the_same_time_send_a_job_once() -> None:
    world = world_of(*IDS)
    other = World(gem=world.gem, plan=world.plan, batches=world.batches)
    other.jobs, other.worklist = world.jobs, world.worklist

    def overtake() -> None:
        if world.trap.calls[-1] == "worklist.every":
            check_jobs(other.checker)

    world.trap.check = overtake
    assert check_jobs(world.checker).handed_out == 0
    run_all(world)
    assert world.gem.asked == IDS


def test_a_repeated_message_asks_once() -> None:
    world = world_of(*IDS)
    check_jobs(world.checker)
    messages = world.batches.take()
    for message in [*messages, *messages]:
        check_batch(world.checker, message)
    assert world.gem.asked == IDS


def test_a_message_received_twice_at_the_same_time_asks_once() -> None:
    world = world_of("job-0")
    check_jobs(world.checker)
    (message,) = world.batches.take()
    other = World(gem=world.gem, plan=world.plan)
    other.jobs, other.worklist = world.jobs, world.worklist

    def overtake() -> None:
        if world.trap.calls[-1] == "jobs.get":  # this run is about to claim
            world.trap.check = lambda: None
            check_batch(other.checker, message)

    world.trap.check = overtake
    check_batch(world.checker, message)
    assert world.gem.asked == ["job-0"]


def test_a_late_message_does_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(*IDS)
    check_jobs(world.checker)
    world.clock.move(CLAIM_TIME)
    run_all(world)
    assert world.gem.asked == []
    assert len(logged(caplog, "batch_late")) == 3


def test_a_message_whose_jobs_were_sent_again_asks_nothing() -> None:
    world = world_of("job-0")
    check_jobs(world.checker)
    (old,) = world.batches.take()
    world.clock.move(CLAIM_TIME - timedelta(seconds=1))
    (job,) = world.registry.open_jobs()
    world.registry.claim(job, job.due_at + CLAIM_TIME)
    check_batch(world.checker, old)
    assert world.gem.asked == []


def test_a_job_forgotten_at_the_same_time_is_not_stored_again() -> None:
    world = world_of("job-0", gem_answer=answer("finished"))
    check_jobs(world.checker)
    world.registry.remove("job-0")
    run_all(world)
    assert world.jobs.names() == world.gem.asked == []


def test_a_redelivery_during_a_batch_keeps_its_marker() -> None:
    world = world_of("job-0")
    stored = world.registry.get("job-0")
    assert stored
    ended = stored.record.settled(Settlement.FAILED, START)
    world.registry.replace(stored, ended.delivered(Outcome.FAILED, "id", START))
    world.registry.mark_open(new_record("job-0"))
    check_jobs(world.checker)
    redeliver_job(world.manager, "job-0")
    run_all(world)
    assert world.record("job-0").stage is Stage.SETTLED
    assert world.marked("job-0")
