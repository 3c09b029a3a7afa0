"""A tick asks about every due job, settles what has ended, and is stopped by no single job."""

from dataclasses import fields, replace
from datetime import timedelta
from threading import Barrier, Thread, get_ident

import pytest

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemJobNotFound,
    GemUnavailable,
    StoreError,
)
from gem_core.flows.check_jobs import TICK_BUDGET, check_jobs
from gem_core.flows.check_one import QUESTION
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.outcome import Outcome
from gem_core.watch.heartbeat import Tick
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.registry import ORPHAN_AGE
from tests.builders import JOB, World, answer, finished, logged, new_record
from tests.fakes import START, FakeClock, FakeGem, GemAnswer


def world_of(*job_run_ids: str, given: GemAnswer | None = None, concurrency: int = 1) -> World:
    """Registered jobs about which GEM says `given`, or that they are running."""
    said: GemAnswer = answer("running") if given is None else given
    gem = FakeGem(**{job_run_id: [said] for job_run_id in job_run_ids})
    world = World(gem=gem, concurrency=concurrency)
    world.add(*job_run_ids)
    return world


@pytest.mark.parametrize("status", ["finished", "failed", "cancelled"])
def test_a_final_status_settles_the_job_and_raises_its_ticket(status: str) -> None:
    world = world_of(JOB, given=answer(status))
    tick = check_jobs(world.checker)
    assert (tick.asked, tick.settled, tick.problems) == (1, 1, 0)
    record = world.record()
    assert record.stage is Stage.SETTLED
    assert record.settlement == Settlement(status)
    assert record.settled_at == START
    assert record.tickets == 1
    assert record.due_at == START + world.policy.redeliver_after
    assert world.new_tickets() == [JOB]
    assert world.marked()


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_job_that_goes_on_is_asked_about_later(status: str) -> None:
    world = world_of(JOB, given=answer(status))
    tick = check_jobs(world.checker)
    assert (tick.asked, tick.settled, tick.due_jobs, tick.open_jobs) == (1, 0, 1, 1)
    assert world.record().stage is Stage.WATCHING
    assert world.record().due_at == START + world.policy.check_min
    assert world.new_tickets() == []


def test_a_status_of_no_documentation_is_loud_and_stays_watched(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of(JOB, given=answer("completed"))
    check_jobs(world.checker)
    assert world.record().stage is Stage.WATCHING
    assert world.record().history[-1].status == "completed"
    (line,) = logged(caplog, "job_drifted")
    assert line["level"] == "ERROR"
    assert line["job_run_id"] == JOB
    assert "completed" in line["drift"][0]
    assert world.new_tickets() == []


def test_a_404_is_counted_and_the_job_lost_after_long_enough() -> None:
    world = world_of(JOB, given=GemJobNotFound("GEM answered 404"))
    while world.record().stage is Stage.WATCHING:
        assert world.clock() < START + timedelta(hours=2)
        check_jobs(world.checker)
        world.clock.move(minutes=1)
    record = world.record()
    assert record.settlement is Settlement.LOST
    assert record.settled_at
    assert record.settled_at - START >= world.policy.lost_after
    assert world.new_tickets() == [JOB]


@pytest.mark.parametrize("error", [GemUnavailable("GEM answered 500"), GemAnswerError("no JSON")])
def test_a_failed_request_concludes_nothing_even_after_the_deadline(error: GemError) -> None:
    world = world_of(JOB, given=error)
    world.clock.move(world.policy.job_deadline * 2)
    tick = check_jobs(world.checker)
    assert (tick.asked, tick.settled, tick.problems) == (0, 0, 1)
    record = world.record()
    assert record.stage is Stage.WATCHING
    assert (record.failures, record.last_problem) == (1, str(error))
    assert record.due_at > world.clock()
    world.gem.answers[JOB] = [answer("running")]
    world.clock.move(world.policy.check_max)
    check_jobs(world.checker)
    assert world.record().settlement is Settlement.EXPIRED


def test_an_answer_that_is_no_job_is_loud(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(JOB, given=GemAnswerError("expected a JSON object, got list"))
    check_jobs(world.checker)
    assert [line for line in logged(caplog) if line["level"] == "ERROR"]


def test_retry_after_is_kept() -> None:
    world = world_of(JOB, given=GemUnavailable("GEM answered 429", retry_after_seconds=1800))
    check_jobs(world.checker)
    assert world.record().due_at == START + timedelta(minutes=30)


_BAD: dict[str, GemAnswer] = {
    "no answer": GemUnavailable("GEM answered 500"),
    "no job": GemAnswerError("not JSON"),
    "404": GemJobNotFound("GEM answered 404"),
    "no JSON object": {"jobRunId": "another"},
    "a fault of ours": ZeroDivisionError("x"),
    "storage": StoreError("refused"),
    "odd word": answer("odd"),
    "time beyond the calendar": answer("running", createdAt="0001-01-01T00:00:00+14:00"),
    "no progress to speak of": answer("running", progress=5e-324),
}


@pytest.mark.parametrize("bad", _BAD.values(), ids=list(_BAD))
@pytest.mark.parametrize("concurrency", [1, 4])
def test_one_bad_job_does_not_stop_the_others(
    bad: GemAnswer, concurrency: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = world_of("a", "b", "c", given=answer("finished"), concurrency=concurrency)
    world.gem.answers["b"] = [bad]
    tick = check_jobs(world.checker)
    assert tick.settled == 2
    assert tick.stopped is None
    assert world.record("b").stage is Stage.WATCHING
    assert sorted(world.new_tickets()) == ["a", "c"]
    assert any(line.get("job_run_id") == "b" for line in logged(caplog))


def test_a_fault_of_ours_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(JOB, given=ZeroDivisionError("x"))
    assert check_jobs(world.checker).problems == 1
    (line,) = logged(caplog, "job_check_crashed")
    assert line["reason"] == "ZeroDivisionError"
    assert line["level"] == "ERROR"
    assert "Traceback" in caplog.text


def test_storage_that_throttles_is_told_in_its_words(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the job is asked about once it may be written again."""
    world = world_of(JOB)

    def busy(*_: object, **__: object) -> str:
        raise StoreError("container 'gem-jobs': storage answered ServerBusy")

    with monkeypatch.context() as broken:
        broken.setattr(world.jobs, "replace", busy)
        assert check_jobs(world.checker).problems == 1
    (line,) = logged(caplog, "job_check_crashed")
    assert line["reason"] == "container 'gem-jobs': storage answered ServerBusy"
    assert "Traceback" not in caplog.text
    world.clock.move(QUESTION)
    assert check_jobs(world.checker).asked == 1


def test_a_record_of_a_newer_app_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of("a", "b")
    newer = b'{"schemaVersion": 2, "jobRunId": "b"}'
    etag = world.jobs.put("b.json", newer)
    assert check_jobs(world.checker).problems == 1
    held = world.jobs.get("b.json")
    assert held
    assert (held.body, held.etag) == (newer, etag)
    assert world.gem.asked == ["a"]
    (line,) = logged(caplog, "record_unreadable")
    assert line["level"] == "ERROR"
    assert world.marked("b")


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_refused_key_stops_the_tick_and_changes_no_record(
    concurrency: int, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [f"job-{number}" for number in range(30)]
    world = world_of(*ids, concurrency=concurrency)
    refused = GemAccessError("GEM answered 401: check GEM_API_KEY")
    world.gem.answers = {job_run_id: [refused] for job_run_id in ids}
    before = {name: world.jobs.get(name) for name in world.jobs.names()}
    markers = [(job.job_run_id, job.due_at, job.marked_at) for job in world.registry.open_jobs()]
    with pytest.raises(GemAccessError, match="401"):
        check_jobs(world.checker)
    assert {name: world.jobs.get(name) for name in world.jobs.names()} == before
    now = list(world.registry.open_jobs())
    assert [(job.job_run_id, job.due_at, job.marked_at) for job in now] == markers
    assert len(world.gem.asked) <= concurrency
    last = world.heartbeat.last()
    assert last
    assert last["stopped"] == str(refused)
    assert last["left"] == 30
    (line,) = logged(caplog, "tick_stopped")
    assert line["level"] == "ERROR"


def test_what_was_done_before_a_refusal_stands() -> None:
    world = world_of("a", "b", "c", given=answer("finished"))
    world.gem.answers["b"] = [GemAccessError("GEM answered 403")]
    with pytest.raises(GemAccessError):
        check_jobs(world.checker)
    assert world.gem.asked == ["a", "b"]
    assert world.record("a").stage is Stage.SETTLED
    last = world.heartbeat.last()
    assert last
    assert (last["settled"], last["left"]) == (1, 2)


def test_a_job_that_gem_forbids_does_not_hold_up_the_others() -> None:
    """A 403 may be about one job alone, say that of another identity."""
    world = world_of("a", "b", "c")
    world.gem.answers["a"] = [GemForbidden("GEM answered 403")]
    with pytest.raises(GemForbidden):
        check_jobs(world.checker)
    assert world.gem.asked == ["a"]
    world.clock.move(minutes=1)
    tick = check_jobs(world.checker)
    assert (tick.due_jobs, tick.asked) == (2, 2)
    assert world.gem.asked == ["a", "b", "c"]
    world.clock.move(minutes=5)
    with pytest.raises(GemForbidden):
        check_jobs(world.checker)
    assert world.record("a").failures == 0


def test_the_job_at_which_a_tick_was_stopped_is_told(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of("a", "b", "c")
    world.gem.answers["b"] = [GemForbidden("GEM answered 403")]
    with pytest.raises(GemForbidden):
        check_jobs(world.checker)
    (line,) = logged(caplog, "tick_stopped")
    assert (line["job_run_id"], line["reason"]) == ("b", "GEM answered 403")


def test_another_writer_who_was_first_stands(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(JOB, given=answer("finished"))
    theirs = replace(new_record(), labels={"by": "them"}, due_at=START)

    def overtake(job_run_id: str) -> None:
        other = World()
        other.jobs, other.worklist = world.jobs, world.worklist
        stored = other.registry.get(job_run_id)
        assert stored
        other.registry.replace(stored, theirs)

    world.gem.before = overtake
    assert check_jobs(world.checker).problems == 1
    assert world.record() == theirs
    assert world.new_tickets() == []
    assert logged(caplog, "record_conflict")
    assert world.marked()


def test_a_job_forgotten_meanwhile_does_not_come_back() -> None:
    world = world_of(JOB, given=answer("finished"))
    world.gem.before = lambda job_run_id: world.jobs.delete(f"{job_run_id}.json")
    check_jobs(world.checker)
    assert world.jobs.names() == []
    assert world.new_tickets() == []


def test_nothing_due_is_one_listing_and_the_heartbeat() -> None:
    ids = [f"job-{number}" for number in range(50)]
    world = world_of(*ids)
    check_jobs(world.checker)
    world.trap.calls.clear()
    world.clock.move(seconds=1)
    tick = check_jobs(world.checker)
    assert (tick.open_jobs, tick.due_jobs, tick.asked) == (50, 0, 0)
    assert world.trap.calls == ["heartbeat.put", "worklist.every", "heartbeat.put"]


def test_reported_jobs_cost_nothing() -> None:
    world = world_of("open")
    for number in range(40):
        settled = new_record(f"old-{number}").settled(Settlement.FAILED, START)
        world.add(f"old-{number}")
        stored = world.registry.get(f"old-{number}")
        assert stored
        world.registry.replace(stored, settled.reported(Outcome.FAILED, "id", START))
    world.trap.calls.clear()
    assert check_jobs(world.checker).open_jobs == 1
    assert world.trap.calls.count("jobs.get") == 1


def test_a_due_job_costs_a_fixed_number_of_calls() -> None:
    world = world_of(JOB)
    world.trap.calls.clear()
    check_jobs(world.checker)
    calls = ["jobs.get", "worklist.replace", "gem.get_job", "jobs.replace", "worklist.replace"]
    assert world.trap.calls == [
        "heartbeat.put", "worklist.every", "lanes.every", "lanes.create", "durations.get",
        *calls,
        "lanes.replace", "heartbeat.put",
    ]  # fmt: skip


def test_a_job_that_goes_on_as_foreseen_costs_one_write_less() -> None:
    # Claimed until it would be due if nothing changes; nothing changes, so the marker is right.
    world = world_of(JOB)
    check_jobs(world.checker)
    world.clock.move(hours=1)
    world.trap.calls.clear()
    check_jobs(world.checker)
    calls = ["jobs.get", "worklist.replace", "gem.get_job", "jobs.replace"]
    assert world.trap.calls[5:-2] == calls
    (marker,) = world.registry.open_jobs()
    assert marker.due_at == world.record().due_at == world.clock() + timedelta(minutes=6)


def test_a_ticket_without_a_report_comes_again_and_ever_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of(JOB, given=answer("failed"))
    check_jobs(world.checker)
    world.new_tickets()
    raised = []
    while world.clock() < START + timedelta(minutes=80):
        world.clock.move(minutes=1)
        tick = check_jobs(world.checker)
        if world.new_tickets():
            assert tick.tickets_repeated == 1
            raised.append(round((world.clock() - START).total_seconds() / 60))
    assert raised == [10, 30, 70]
    assert world.gem.asked == [JOB]
    assert [line["times"] for line in logged(caplog, "ticket_repeated")] == [2, 3, 4]


def test_the_oldest_due_go_first_and_the_rest_is_left_when_the_budget_is_used() -> None:
    world = world_of()
    for number in range(5):
        job_run_id = f"job-{number}"
        world.gem.answers[job_run_id] = [answer("running")]
        due_at = START - timedelta(minutes=number)
        world.registry.add(new_record(job_run_id).due(due_at))
    world.gem.before = lambda _: world.clock.move(TICK_BUDGET / 2)
    tick = check_jobs(world.checker)
    assert world.gem.asked == ["job-4", "job-3"]
    assert (tick.asked, tick.left, tick.due_jobs) == (2, 3, 5)
    assert tick.oldest_due_at == START - timedelta(minutes=4)
    assert tick.stopped is None
    world.gem.before = lambda _: None
    check_jobs(world.checker)
    assert world.gem.asked[2:5] == ["job-2", "job-1", "job-0"]


def test_several_are_asked_about_at_once() -> None:
    world = world_of("a", "b", "c", "d", given=answer("finished"), concurrency=4)
    together = Barrier(4, timeout=20)  # broken unless four questions are under way at once
    world.gem.before = lambda _: together.wait()
    assert check_jobs(world.checker).settled == 4


def test_no_more_are_asked_about_at_once_than_allowed() -> None:
    world = world_of(*(f"job-{number}" for number in range(12)), concurrency=3)
    together = Barrier(3, timeout=20)
    threads: set[int] = set()

    def note(_: str) -> None:
        threads.add(get_ident())
        together.wait()

    world.gem.before = note
    check_jobs(world.checker)
    assert len(threads) == 3
    assert len(world.gem.asked) == 12


def test_two_ticks_at_once_settle_a_job_once() -> None:
    world = world_of("a", "b", "c", given=answer("finished"))
    ticks: list[Tick] = []
    both = [Thread(target=lambda: ticks.append(check_jobs(world.checker))) for _ in range(2)]
    for tick in both:
        tick.start()
    for tick in both:
        tick.join()
    assert sum(tick.settled for tick in ticks) == 3
    assert all(world.record(job_run_id).tickets == 1 for job_run_id in "abc")


def test_a_marker_without_a_record_goes_only_when_it_is_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "gem_core")
    world = world_of()
    world.registry.mark_open(new_record())
    world.clock.move(ORPHAN_AGE)
    check_jobs(world.checker)
    assert world.marked()
    assert not logged(caplog, "job_forgotten")
    world.clock.move(seconds=1)
    check_jobs(world.checker)
    assert not world.marked()
    assert [line["job_run_id"] for line in logged(caplog, "job_forgotten")] == [JOB]
    assert world.gem.asked == []


def reported_but_marked() -> World:
    """What a delivery leaves that died before it took its marker away."""
    world = world_of(JOB)
    stored = world.registry.get(JOB)
    assert stored
    reported = stored.record.settled(Settlement.FAILED, START).reported(Outcome.FAILED, "id", START)
    world.registry.replace(stored, reported)
    world.registry.mark_open(reported)
    return world


def test_a_marker_of_a_reported_job_goes_only_when_it_is_old(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "gem_core")
    world = reported_but_marked()
    before = world.record()
    world.clock.move(ORPHAN_AGE)
    check_jobs(world.checker)
    assert world.marked()
    world.clock.move(seconds=1)
    check_jobs(world.checker)
    assert not world.marked()
    assert world.record() == before
    assert not logged(caplog, "job_forgotten")
    assert world.gem.asked == []


def test_a_tick_amid_a_redelivery_leaves_its_marker() -> None:
    # The marker is written, the record is not yet, and that takes long: it looks like one that was
    # left over.
    world = reported_but_marked()
    other = World(clock=world.clock)
    other.jobs, other.worklist = world.jobs, world.worklist

    def tick() -> None:
        if world.trap.calls[-1] == "worklist.put":
            world.clock.move(minutes=20)
            check_jobs(other.checker)

    world.trap.check = tick
    redeliver_job(world.desk, JOB)
    assert world.record().stage is Stage.SETTLED
    assert world.marked()


def test_a_redelivery_beside_a_tick_that_tidies_keeps_its_marker() -> None:
    # The tick has read "reported" and is about to take a left marker away.
    world = reported_but_marked()
    world.clock.move(ORPHAN_AGE * 2)
    other = World(clock=world.clock)
    other.jobs, other.worklist, other.tickets = world.jobs, world.worklist, world.tickets
    world.trap.calls.clear()

    def redeliver() -> None:
        if world.trap.calls[-1] == "jobs.get":
            redeliver_job(other.desk, JOB)

    world.trap.check = redeliver
    check_jobs(world.checker)
    assert world.record().stage is Stage.SETTLED
    assert world.marked()


def test_a_registration_beside_a_tick_that_tidies_keeps_its_marker() -> None:
    # The tick has found no record for an old marker; now the job is registered again.
    world = world_of()
    world.registry.mark_open(new_record())
    world.clock.move(ORPHAN_AGE * 2)
    other = World(clock=world.clock)
    other.jobs, other.worklist = world.jobs, world.worklist

    def register() -> None:
        if world.trap.calls[-1] == "jobs.get":
            other.add(JOB)

    world.trap.check = register
    check_jobs(world.checker)
    assert world.record().stage is Stage.WATCHING
    assert world.marked()


def test_a_marker_that_is_behind_its_record_is_mended() -> None:
    world = world_of(JOB)
    stored = world.registry.get(JOB)
    assert stored
    later = START + timedelta(hours=1)
    world.registry.replace(stored, stored.record.due(later))
    world.registry.mark_open(stored.record)
    check_jobs(world.checker)
    assert world.gem.asked == []
    assert [line.due_at for line in world.registry.open_jobs()] == [later]


def test_the_heartbeat_tells_of_a_tick_under_way_and_of_its_end() -> None:
    world = world_of("a", "b", given=answer("finished"))
    seen = []
    world.gem.before = lambda _: seen.append((world.heartbeat.last(), world.heartbeat.started_at()))
    world.clock.move(seconds=5)
    check_jobs(world.checker)
    assert seen == [(None, START + timedelta(seconds=5))] * 2
    last = world.heartbeat.last()
    assert last
    assert last["endedAt"] == "2026-01-20T10:00:05+00:00"
    assert (last["openJobs"], last["dueJobs"], last["settled"]) == (2, 2, 2)
    assert last["oldestDueAt"] == "2026-01-20T10:00:00+00:00"


def test_the_log_tells_of_a_tick_as_of_everything_else(caplog: pytest.LogCaptureFixture) -> None:
    """Facts are in snake_case, whatever the heartbeat's JSON has."""
    caplog.set_level("INFO", "gem_core")
    tick = check_jobs(world_of("a", "b", given=answer("finished")).checker)
    (line,) = logged(caplog, "tick_ended")
    assert set(line) - {"event", "level"} == {each.name for each in fields(Tick)}
    assert (line["open_jobs"], line["ended_at"]) == (2, START.isoformat())
    assert tick.open_jobs == 2


def test_a_worklist_that_cannot_be_read_is_raised_and_the_tick_was_seen() -> None:
    world = World()

    def refuse() -> None:
        if world.trap.calls[-1] == "worklist.every":
            raise StoreError("container 'gem-open': storage answered 503")

    world.trap.check = refuse
    with pytest.raises(StoreError):
        check_jobs(world.checker)
    assert world.heartbeat.started_at() == START


def test_jitter_spreads_the_next_questions() -> None:
    shares = iter([0.0, 0.0, 1.0, 1.0])  # one for the claim, one for the answer
    gem = FakeGem(a=[answer("running")], b=[answer("running")])
    world = World(gem=gem, jitter=lambda: next(shares))
    world.add("a", "b")
    check_jobs(world.checker)
    assert world.record("a").due_at - world.record("b").due_at == timedelta(seconds=6)


def test_a_tick_that_is_past_due_says_so(caplog: pytest.LogCaptureFixture) -> None:
    check_jobs(World().checker, past_due=True)
    assert logged(caplog, "tick_started")[0]["past_due"] is True


def test_a_whole_life_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
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
