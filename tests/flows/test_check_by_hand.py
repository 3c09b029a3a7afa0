"""A check that a person requests: it asks GEM now, and never changes a settled job."""

import pytest

from gem_core.errors import GemAccessError, GemError, GemJobNotFound, GemUnavailable, RecordConflict
from gem_core.flows.manage_jobs import check_job
from gem_core.watch.record import Settlement
from tests.builders import JOB, World, answer, finished, logged
from tests.fakes import START
from tests.flows.build import after_delivery


def _settled(as_: Settlement) -> World:
    world = World()
    world.add(JOB)
    stored = world.registry.get(JOB)
    assert stored
    world.registry.replace(stored, stored.record.settled(as_, START))
    return world


def test_a_check_asks_now_though_the_job_is_not_due() -> None:
    world = World()
    world.add(JOB)
    world.gem.answers[JOB] = [answer("running", progress=65), finished()]
    shown = check_job(world.manager, world.checker, JOB)
    assert shown["lastAnswer"]["progress"] == 65
    assert world.record().due_at > world.clock()
    shown = check_job(world.manager, world.checker, JOB)
    assert (shown["stage"], shown["settlement"]) == ("settled", "finished")
    assert world.new_tickets() == [JOB]


def test_a_check_that_gets_no_answer_shows_the_problem() -> None:
    world = World()
    world.add(JOB)
    world.gem.answers[JOB] = [GemUnavailable("GEM answered 500")]
    shown = check_job(world.manager, world.checker, JOB)
    assert (shown["stage"], shown["lastProblem"]) == ("watching", "GEM answered 500")


def test_a_check_with_a_refused_key_is_raised() -> None:
    world = World()
    world.add(JOB)
    before = world.record()
    world.gem.answers[JOB] = [GemAccessError("GEM answered 403")]
    with pytest.raises(GemAccessError):
        check_job(world.manager, world.checker, JOB)
    assert world.record() == before


def test_a_check_beside_a_tick_is_a_conflict() -> None:
    world = World()
    world.add(JOB)
    world.gem.answers[JOB] = [answer("running")]

    def overtake(_: str) -> None:
        held = world.jobs.get(f"{JOB}.json")
        assert held
        world.jobs.put(held.name, held.body)

    world.gem.before = overtake
    with pytest.raises(RecordConflict):
        check_job(world.manager, world.checker, JOB)


@pytest.mark.parametrize("status", ["running", "failed", "odd"])
def test_a_check_of_a_delivered_job_changes_nothing_and_says_what_gem_says(
    status: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = after_delivery()
    stores = (world.jobs, world.worklist, world.tickets, world.manifests, world.reports)
    before = [[store.get(name) for name in store.names()] for store in stores]
    world.gem.answers[JOB] = [answer(status)]
    shown = check_job(world.manager, world.checker, JOB)
    assert shown["statusNow"] == status
    assert shown["stage"] == "delivered"
    assert [[store.get(name) for name in store.names()] for store in stores] == before
    (line,) = logged(caplog, "job_changed_after_settlement")
    assert (line["status"], line["settlement"], line["level"]) == (status, "finished", "ERROR")


def test_a_settled_job_that_gem_tells_the_same_of_is_quiet(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = after_delivery()
    assert check_job(world.manager, world.checker, JOB)["statusNow"] == "finished"
    assert logged(caplog, "job_changed_after_settlement") == []


@pytest.mark.parametrize("error", [GemUnavailable("GEM answered 500"), GemAccessError("403")])
def test_a_failed_request_about_a_settled_job_is_no_other_status(
    error: GemError, caplog: pytest.LogCaptureFixture
) -> None:
    world = after_delivery()
    world.gem.answers[JOB] = [error]
    with pytest.raises(type(error)):
        check_job(world.manager, world.checker, JOB)
    assert logged(caplog, "job_changed_after_settlement") == []


def test_a_lost_job_that_is_still_not_found_has_not_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = _settled(Settlement.LOST)
    world.gem.answers[JOB] = [GemJobNotFound("GEM answered 404")]
    check_job(world.manager, world.checker, JOB)
    assert logged(caplog, "job_changed_after_settlement") == []


@pytest.mark.parametrize(
    ("status", "lines"), [("running", 0), ("queued", 0), ("odd", 0), ("finished", 1), ("failed", 1)]
)
def test_an_expired_job_that_has_ended_later_is_logged(
    status: str, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = _settled(Settlement.EXPIRED)
    world.gem.answers[JOB] = [answer(status)]
    check_job(world.manager, world.checker, JOB)
    assert len(logged(caplog, "job_changed_after_settlement")) == lines
