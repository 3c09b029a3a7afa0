"""What a tick costs, how many jobs it checks at the same time, and what it reports."""

from dataclasses import fields
from datetime import timedelta
from threading import Barrier, get_ident

import pytest

from gem_core.errors import StoreError
from gem_core.flows.check_jobs import TICK_BUDGET, check_jobs
from gem_core.outcome import Outcome
from gem_core.watch.heartbeat import Started, Tick
from gem_core.watch.record import Settlement
from tests.builders import JOB, World, answer, finished, logged, new_record
from tests.fakes import START, FakeClock
from tests.flows.build import world_of


def test_nothing_due_is_one_listing_and_the_heartbeat() -> None:
    ids = [f"job-{number}" for number in range(50)]
    world = world_of(*ids)
    checker = world.checker
    check_jobs(checker)
    world.trap.calls.clear()
    world.clock.move(seconds=1)
    tick = check_jobs(checker)
    assert (tick.open_jobs, tick.due_jobs, tick.checked) == (50, 0, 0)
    calls = ["heartbeat.get", "heartbeat.put", "worklist.every", "heartbeat.put"]
    assert world.trap.calls == calls


def test_a_new_process_reads_whether_the_last_tick_ended() -> None:
    world = world_of()
    check_jobs(world.checker)
    world.trap.calls.clear()
    check_jobs(world.checker)
    assert world.trap.calls[:3] == ["heartbeat.get", "heartbeat.get", "heartbeat.put"]


def test_delivered_jobs_cost_nothing() -> None:
    world = world_of("open")
    for number in range(40):
        settled = new_record(f"old-{number}").settled(Settlement.FAILED, START)
        world.add(f"old-{number}")
        stored = world.registry.get(f"old-{number}")
        assert stored
        world.registry.replace(stored, settled.delivered(Outcome.FAILED, "id", START))
    world.trap.calls.clear()
    assert check_jobs(world.checker).open_jobs == 1
    assert world.trap.calls.count("jobs.get") == 1


def test_a_due_job_costs_a_fixed_number_of_calls() -> None:
    world = world_of(JOB)
    world.trap.calls.clear()
    check_jobs(world.checker)
    calls = ["jobs.get", "worklist.replace", "gem.get_job", "jobs.replace", "worklist.replace"]
    assert world.trap.calls == [
        "heartbeat.get", "heartbeat.put",
        "worklist.every", "leases.every", "leases.create", "durations.get",
        *calls,
        "leases.replace", "heartbeat.put",
    ]  # fmt: skip


def test_an_unchanged_job_costs_one_write_less() -> None:
    # The claim ends when the job is due if nothing changes. So the marker is correct here.
    world = world_of(JOB)
    check_jobs(world.checker)
    world.clock.move(hours=1)
    world.trap.calls.clear()
    check_jobs(world.checker)
    calls = ["jobs.get", "worklist.replace", "gem.get_job", "jobs.replace"]
    assert world.trap.calls[7:-2] == calls
    (marker,) = world.registry.open_jobs()
    assert marker.due_at == world.record().due_at == world.clock() + timedelta(minutes=6)


def test_a_ticket_without_a_delivery_is_raised_again_with_growing_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of(JOB, gem_answer=answer("failed"))
    check_jobs(world.checker)
    world.new_tickets()
    raised = []
    while world.clock() < START + timedelta(minutes=110):
        world.clock.move(minutes=1)
        tick = check_jobs(world.checker)
        if world.new_tickets():
            assert tick.tickets_repeated == 1
            raised.append(round((world.clock() - START).total_seconds() / 60))
    assert raised == [15, 45, 105]
    assert world.gem.asked == [JOB]
    assert [line["tickets"] for line in logged(caplog, "ticket_repeated")] == [2, 3, 4]


def test_the_oldest_due_jobs_are_first_and_the_rest_remains_after_the_budget() -> None:
    world = world_of()
    for number in range(5):
        job_run_id = f"job-{number}"
        world.gem.answers[job_run_id] = [answer("running")]
        due_at = START - timedelta(minutes=number)
        world.registry.add(new_record(job_run_id).due(due_at))
    world.gem.before = lambda _: world.clock.move(TICK_BUDGET / 2)
    tick = check_jobs(world.checker)
    assert world.gem.asked == ["job-4", "job-3"]
    assert (tick.checked, tick.remaining, tick.due_jobs) == (2, 3, 5)
    assert tick.oldest_due_at == START - timedelta(minutes=4)
    assert tick.stopped is None
    world.gem.before = lambda _: None
    check_jobs(world.checker)
    assert world.gem.asked[2:5] == ["job-2", "job-1", "job-0"]


def test_several_jobs_are_checked_at_the_same_time() -> None:
    world = world_of("a", "b", "c", "d", gem_answer=answer("finished"), concurrency=4)
    together = Barrier(4, timeout=60)  # fails unless four requests run at the same time
    world.gem.before = lambda _: together.wait()
    assert check_jobs(world.checker).settled == 4


def test_no_more_jobs_are_checked_at_the_same_time_than_allowed() -> None:
    world = world_of(*(f"job-{number}" for number in range(12)), concurrency=3)
    together = Barrier(3, timeout=60)
    threads: set[int] = set()

    def note(_: str) -> None:
        threads.add(get_ident())
        together.wait()

    world.gem.before = note
    check_jobs(world.checker)
    assert len(threads) == 3
    assert len(world.gem.asked) == 12


def test_the_heartbeat_shows_a_running_tick_and_its_end() -> None:
    world = world_of("a", "b", gem_answer=answer("finished"))
    seen = []
    world.gem.before = lambda _: seen.append((world.heartbeat.last(), world.heartbeat.started()))
    world.clock.move(seconds=5)
    check_jobs(world.checker)
    began = START + timedelta(seconds=5)
    assert seen == [(None, Started(began, began))] * 2
    last = world.heartbeat.last()
    assert last
    assert last["endedAt"] == "2026-01-20T10:00:05+00:00"
    assert (last["openJobs"], last["dueJobs"], last["settled"]) == (2, 2, 2)
    assert last["oldestDueAt"] == "2026-01-20T10:00:00+00:00"


def test_the_log_has_the_facts_of_a_tick(caplog: pytest.LogCaptureFixture) -> None:
    """Facts are in snake_case; only the JSON of the heartbeat is in camelCase."""
    tick = check_jobs(world_of("a", "b", gem_answer=answer("finished")).checker)
    (line,) = logged(caplog, "tick_ended")
    assert set(line) - {"event", "level"} == {each.name for each in fields(Tick)}
    assert (line["open_jobs"], line["ended_at"]) == (2, START.isoformat())
    assert tick.open_jobs == 2


def test_an_unreadable_worklist_is_raised_and_the_tick_has_started() -> None:
    world = World()

    def refuse() -> None:
        if world.trap.calls[-1] == "worklist.every":
            raise StoreError("container 'gem-worklist': storage answered 503")

    world.trap.check = refuse
    with pytest.raises(StoreError):
        check_jobs(world.checker)
    assert world.heartbeat.started() == Started(START, START)


def test_a_tick_that_is_past_due_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    check_jobs(World().checker, past_due=True)
    assert logged(caplog, "tick_started")[0]["past_due"] is True


def test_the_log_has_every_step_of_a_job(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    world = World(clock=clock)
    world.gem.answers[JOB] = [answer("queued"), answer("running", progress=65), finished()]
    world.add(JOB)
    for _ in range(3):
        check_jobs(world.checker)
        clock.move(world.policy.check_max)
    checked = [line["status"] for line in logged(caplog, "job_checked")]
    assert checked == ["queued", "running", "finished"]
    assert [line["settlement"] for line in logged(caplog, "job_settled")] == ["finished"]
    assert [seen.status for seen in world.record().history] == checked
