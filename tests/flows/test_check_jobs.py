"""What a tick does with GEM's answers, and with jobs for which there is no answer."""

from dataclasses import replace
from datetime import timedelta
from threading import current_thread

import pytest

from gem_core.errors import GemAnswerError, GemError, GemJobNotFound, GemUnavailable, StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.check_one import MAX_CHECK_TIME, UNREADABLE_WAIT
from gem_core.flows.find_trouble import find_trouble
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.schedule import EXPIRED_AFTER_ANSWERS
from tests.builders import JOB, World, answer, logged, new_record
from tests.fakes import START, FakeGem, GemAnswer
from tests.flows.build import world_of


@pytest.mark.parametrize("status", ["finished", "failed", "cancelled"])
def test_a_final_status_settles_the_job_and_raises_its_ticket(status: str) -> None:
    world = world_of(JOB, gem_answer=answer(status))
    tick = check_jobs(world.checker)
    assert (tick.checked, tick.settled, tick.problems) == (1, 1, 0)
    record = world.record()
    assert record.stage is Stage.SETTLED
    assert record.settlement == Settlement(status)
    assert record.settled_at == START
    assert record.tickets == 1
    assert record.due_at == START + world.policy.repeat_ticket_after
    assert world.new_tickets() == [JOB]
    assert world.marked()


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_job_that_has_not_ended_is_checked_later(status: str) -> None:
    world = world_of(JOB, gem_answer=answer(status))
    tick = check_jobs(world.checker)
    assert (tick.checked, tick.settled, tick.due_jobs, tick.open_jobs) == (1, 0, 1, 1)
    assert world.record().stage is Stage.WATCHING
    assert world.record().due_at == START + world.policy.check_min
    assert world.new_tickets() == []


def test_an_undocumented_status_is_an_error_and_the_job_stays_watched(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of(JOB, gem_answer=answer("completed"))
    check_jobs(world.checker)
    assert world.record().stage is Stage.WATCHING
    assert world.record().history[-1].status == "completed"
    (line,) = logged(caplog, "job_drifted")
    assert line["level"] == "ERROR"
    assert line["job_run_id"] == JOB
    assert "completed" in line["drift"][0]
    assert world.new_tickets() == []


def test_a_404_is_counted_and_the_job_lost_after_long_enough() -> None:
    world = world_of(JOB, gem_answer=GemJobNotFound("GEM answered 404"))
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
    world = world_of(JOB, gem_answer=error)
    world.clock.move(world.policy.job_deadline * 2)
    tick = check_jobs(world.checker)
    assert (tick.checked, tick.settled, tick.problems) == (0, 0, 1)
    record = world.record()
    assert record.stage is Stage.WATCHING
    assert (record.failures, record.last_problem) == (1, str(error))
    assert record.due_at > world.clock()
    world.gem.answers[JOB] = [answer("running")]
    for _ in range(EXPIRED_AFTER_ANSWERS - 1):  # the failed one counts, since GEM answers
        assert world.record().settlement is None
        world.clock.move(world.policy.check_max)
        check_jobs(world.checker)
    assert world.record().settlement is Settlement.EXPIRED


def test_an_answer_that_is_not_the_job_is_logged_as_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_of(JOB, gem_answer=GemAnswerError("expected a JSON object, got list"))
    check_jobs(world.checker)
    assert [line for line in logged(caplog) if line["level"] == "ERROR"]


def test_retry_after_is_respected() -> None:
    world = world_of(JOB, gem_answer=GemUnavailable("GEM answered 429", retry_after_seconds=1800))
    check_jobs(world.checker)
    assert world.record().due_at == START + timedelta(minutes=30)


_BAD: dict[str, GemAnswer] = {
    "no answer": GemUnavailable("GEM answered 500"),
    "no job": GemAnswerError("not JSON"),
    "404": GemJobNotFound("GEM answered 404"),
    "no JSON object": {"jobRunId": "another"},
    "an unexpected error": ZeroDivisionError("x"),
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
    world = world_of("a", "b", "c", gem_answer=answer("finished"), concurrency=concurrency)
    world.gem.answers["b"] = [bad]
    tick = check_jobs(world.checker)
    assert tick.settled == 2
    assert tick.stopped is None
    assert world.record("b").stage is Stage.WATCHING
    assert sorted(world.new_tickets()) == ["a", "c"]
    assert any(line.get("job_run_id") == "b" for line in logged(caplog))
    # The host drops a line of any other thread.
    assert {line.threadName for line in caplog.records} == {current_thread().name}


def test_an_unexpected_error_is_logged_with_its_chain(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(JOB, gem_answer=ZeroDivisionError("x"))
    assert check_jobs(world.checker).problems == 1
    (line,) = logged(caplog, "job_check_crashed")
    assert line["reason"] == "ZeroDivisionError"
    assert line["level"] == "ERROR"
    assert line["chain"].startswith("ZeroDivisionError (")


def test_a_storage_error_is_logged_with_its_message(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is checked when it can be written again."""
    world = world_of(JOB)

    def busy(*_: object, **__: object) -> str:
        raise StoreError("container 'gem-jobs': storage answered ServerBusy")

    with monkeypatch.context() as broken:
        broken.setattr(world.jobs, "replace", busy)
        assert check_jobs(world.checker).problems == 1
    (line,) = logged(caplog, "job_check_crashed")
    assert line["reason"] == "container 'gem-jobs': storage answered ServerBusy"
    assert "chain" not in caplog.text
    world.clock.move(MAX_CHECK_TIME)
    assert check_jobs(world.checker).checked == 1


def test_a_record_of_a_newer_version_does_not_change(caplog: pytest.LogCaptureFixture) -> None:
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


def test_an_unreadable_record_is_read_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of("a", "b")
    world.jobs.put("b.json", b'{"schemaVersion": 2, "jobRunId": "b"}')
    assert check_jobs(world.checker).unreadable == 1
    for _ in range(59):
        world.clock.move(minutes=1)
        assert check_jobs(world.checker).unreadable == 0
    assert [found["trouble"] for found in find_trouble(world.manager)] == ["unreadable"]
    world.clock.move(UNREADABLE_WAIT)
    assert check_jobs(world.checker).unreadable == 1
    assert len(logged(caplog, "record_unreadable")) == 2


def test_a_conflicting_change_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    world = world_of(JOB, gem_answer=answer("finished"))
    other_record = replace(new_record(), labels={"by": "them"}, due_at=START)

    def overtake(job_run_id: str) -> None:
        other = World()
        other.jobs, other.worklist = world.jobs, world.worklist
        stored = other.registry.get(job_run_id)
        assert stored
        other.registry.replace(stored, other_record)

    world.gem.before = overtake
    assert check_jobs(world.checker).problems == 1
    assert world.record() == other_record
    assert world.new_tickets() == []
    assert logged(caplog, "record_conflict")
    assert world.marked()


def test_a_job_forgotten_at_the_same_time_is_not_stored_again() -> None:
    world = world_of(JOB, gem_answer=answer("finished"))
    world.gem.before = lambda job_run_id: world.jobs.delete(f"{job_run_id}.json")
    check_jobs(world.checker)
    assert world.jobs.names() == []
    assert world.new_tickets() == []


def test_jitter_spreads_the_next_checks() -> None:
    shares = iter([0.0, 0.0, 1.0, 1.0])  # one for the claim, one for the answer
    gem = FakeGem(a=[answer("running")], b=[answer("running")])
    world = World(gem=gem, jitter=lambda: next(shares))
    world.add("a", "b")
    check_jobs(world.checker)
    assert world.record("a").due_at - world.record("b").due_at == timedelta(seconds=6)
