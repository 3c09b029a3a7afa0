"""Due jobs in batches: each is checked once, whatever happens to its message."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from gem_core.errors import GemAccessError, RecordUnreadable, StoreError
from gem_core.flows.check_batch import LEASE_WAIT, check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.watch.batch import BATCH_TIME, CLAIM_TIME, BatchPlan
from gem_core.watch.marker import MARKER_PREFIX
from gem_core.watch.record import Stage
from gem_core.watch.registry import ORPHAN_AGE
from tests.builders import World, answer, logged, new_record
from tests.fakes import START, Killed, Trap
from tests.flows.batched import IDS, run_all, world_of


def test_with_batches_a_tick_asks_gem_nothing() -> None:
    world = world_of(*IDS)
    tick = check_jobs(world.checker)
    assert (tick.due_jobs, tick.handed_out, tick.checked, tick.remaining) == (5, 5, 0, 0)
    assert world.gem.asked == []
    assert len(world.batches.sent) == 3
    run_all(world)
    assert world.gem.asked == IDS
    assert all(world.record(job_run_id).times_checked == 1 for job_run_id in IDS)


def leased(world: World, job_run_id: str) -> None:
    """Another client holds a lease of its marker, so that no claim succeeds."""
    replace = world.worklist.replace

    def refuse(
        name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        if name == MARKER_PREFIX + job_run_id:
            raise StoreError(
                "container 'gem-worklist': another client has a lease (LeaseIdMissing)"
            )
        return replace(name, body, etag=etag, metadata=metadata)

    world.worklist.replace = refuse  # type: ignore[method-assign] # a store with a leased blob


def test_a_marker_that_cannot_be_claimed_stops_no_other_job(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of(*IDS)
    leased(world, "job-1")
    tick = check_jobs(world.checker)
    assert (tick.due_jobs, tick.handed_out, tick.problems, tick.remaining) == (5, 4, 1, 0)
    (line,) = logged(caplog, "job_check_crashed")
    assert (line["job_run_id"], "LeaseIdMissing" in line["reason"]) == ("job-1", True)
    run_all(world)
    assert world.gem.asked == ["job-0", "job-2", "job-3", "job-4"]
    last = world.heartbeat.last()
    assert last
    assert last["problems"] == 1


def test_a_job_claimed_by_another_tick_is_not_a_problem() -> None:
    world = world_of("job-0", "job-1")
    (job, _) = world.registry.open_jobs()

    def overtake() -> None:
        if world.trap.calls[-1] == "worklist.every":
            world.trap.check = lambda: None
            world.registry.claim(job, START + CLAIM_TIME)

    world.trap.check = overtake
    tick = check_jobs(world.checker)
    assert (tick.handed_out, tick.problems, tick.remaining) == (1, 0, 1)


def test_a_job_that_ended_is_settled_by_its_batch() -> None:
    world = world_of(*IDS, gem_answer=answer("failed"))
    check_jobs(world.checker)
    run_all(world)
    assert sorted(world.new_tickets()) == IDS
    assert all(world.record(job_run_id).stage is Stage.SETTLED for job_run_id in IDS)


def test_the_sweep_also_uses_batches() -> None:
    world = world_of(*IDS, gem_answer=answer("failed"))
    check_jobs(world.checker)
    run_all(world)
    world.new_tickets()
    world.clock.move(world.policy.repeat_ticket_after)
    check_jobs(world.checker)
    run_all(world)
    assert sorted(world.new_tickets()) == IDS
    assert world.gem.asked == IDS


def test_the_queue_has_no_more_batches_than_can_run_in_time() -> None:
    ids = [f"job-{number:03}" for number in range(100)]
    world = world_of(*ids, plan=BatchPlan(2, 3))
    tick = check_jobs(world.checker)
    assert len(world.batches.sent) == 30
    assert (tick.handed_out, tick.remaining) == (60, 40)
    hidden = [wait for _, wait, _ in world.batches.sent]
    assert hidden == [BATCH_TIME * (place // 3) for place in range(30)]
    tick = check_jobs(world.checker)
    assert (tick.handed_out, tick.remaining, tick.due_jobs) == (0, 40, 40)


def test_without_a_free_lease_a_batch_goes_back_to_the_queue(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of("job-0", plan=BatchPlan(2, 1))
    check_jobs(world.checker)
    (message,) = world.batches.take()
    lease = world.checker.limiter.acquire()
    assert lease
    world.clock.move(seconds=7)
    check_batch(world.checker, message)
    assert world.gem.asked == []
    assert world.batches.sent == [(message, LEASE_WAIT, CLAIM_TIME - timedelta(seconds=7))]
    assert logged(caplog, "batch_postponed")
    lease.release()
    run_all(world)
    assert world.gem.asked == ["job-0"]


def test_batches_end_after_they_are_turned_off() -> None:
    world = world_of("job-0")
    check_jobs(world.checker)
    (message,) = world.batches.take()
    world.plan = None
    lease = world.checker.limiter.acquire()
    check_batch(world.checker, message)
    assert not world.batches.sent
    assert not world.gem.asked
    assert lease
    lease.release()
    check_batch(world.checker, message)
    assert world.gem.asked == ["job-0"]


def test_a_refused_key_ends_the_batch_and_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(*IDS, gem_answer=GemAccessError("GEM answered 401"), plan=BatchPlan(5, 1))
    check_jobs(world.checker)
    run_all(world)
    assert len(world.gem.asked) == 1
    (line,) = logged(caplog, "tick_stopped")
    assert (line["level"], line["reason"]) == ("ERROR", "GEM answered 401")
    assert logged(caplog, "batch_checked")[0]["remaining"] == 5
    world.gem.answers = {job_run_id: [answer("running")] for job_run_id in IDS}
    world.clock.move(CLAIM_TIME)
    check_jobs(world.checker)
    run_all(world)
    assert all(world.record(job_run_id).job for job_run_id in IDS)


@pytest.mark.parametrize("message", [b"", b"{}", b'{"until": "x", "jobs": []}'])
def test_an_unreadable_message_is_an_error(message: bytes) -> None:
    world = world_of(*IDS)
    with pytest.raises(RecordUnreadable):
        check_batch(world.checker, message)
    assert world.gem.asked == []


def test_one_bad_job_does_not_end_a_batch() -> None:
    world = world_of("a", "b", "c", gem_answer=answer("running"), plan=BatchPlan(3, 1))
    world.gem.answers["b"] = [StoreError("refused")]
    check_jobs(world.checker)
    run_all(world)
    assert world.gem.asked == ["a", "b", "c"]


def test_a_batch_stops_at_its_budget() -> None:
    world = world_of(*IDS, plan=BatchPlan(5, 1))
    check_jobs(world.checker)
    world.gem.before = lambda _: world.clock.move(minutes=3)
    run_all(world)
    assert world.gem.asked == ["job-0", "job-1"]
    world.gem.before = lambda _: None
    world.clock.move(CLAIM_TIME)
    check_jobs(world.checker)
    run_all(world)
    assert set(world.gem.asked) == set(IDS)


def test_a_marker_without_a_record_goes_also_if_batches_look_at_it() -> None:
    world = world_of()
    world.registry.mark_open(new_record("job-0"))
    while world.clock() <= START + ORPHAN_AGE + CLAIM_TIME:
        assert world.marked("job-0") or world.clock() > START + ORPHAN_AGE
        check_jobs(world.checker)
        run_all(world)
        world.clock.move(minutes=1)
    assert not world.marked("job-0")


def _life(world: World) -> None:
    check_jobs(world.checker)
    run_all(world)


def _calls() -> list[str]:
    world = world_of("job-0", "job-1", gem_answer=answer("failed"))
    world.trap.calls.clear()
    world.trap = Trap()
    _life(world)
    return world.trap.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(len(_calls())))
def test_a_death_anywhere_only_delays_jobs(at: int, *, after: bool) -> None:
    world = world_of("job-0", "job-1", gem_answer=answer("failed"))
    world.trap = Trap(at, after=after, check=world.assert_open_records_are_marked)
    with pytest.raises(Killed):
        _life(world)
    world.trap = Trap(check=world.assert_open_records_are_marked)
    world.batches.take()  # messages are lost with the process
    world.new_tickets()
    ticketed: set[str] = set()
    while ticketed != {"job-0", "job-1"}:
        assert world.clock() < START + timedelta(hours=1)
        world.clock.move(minutes=1)
        _life(world)
        ticketed |= set(world.new_tickets())
