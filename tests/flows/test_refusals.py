"""GEM refuses: one job alone, or the key, which stops the tick."""

from contextlib import suppress

import pytest

from gem_core.errors import GemAccessError, GemForbidden, GemUnauthorized, GemUnavailable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.find_trouble import find_trouble
from gem_core.watch.record import Stage
from tests.builders import answer, logged
from tests.flows.build import world_of


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
    assert last["remaining"] == 30
    (line,) = logged(caplog, "tick_stopped")
    assert line["level"] == "ERROR"


def test_checks_before_a_refusal_are_stored() -> None:
    world = world_of("a", "b", "c", gem_answer=answer("finished"))
    world.gem.answers["b"] = [GemAccessError("GEM answered 403")]
    with pytest.raises(GemAccessError):
        check_jobs(world.checker)
    assert world.gem.asked == ["a", "b"]
    assert world.record("a").stage is Stage.SETTLED
    last = world.heartbeat.last()
    assert last
    assert (last["settled"], last["remaining"]) == (1, 2)


REFUSALS = [GemUnauthorized("GEM answered 401"), GemForbidden("GEM answered 403")]


@pytest.mark.parametrize("refused", REFUSALS, ids=["401", "403"])
def test_a_refusal_of_one_job_is_that_jobs_alone(refused: GemAccessError) -> None:
    """For example a job of another identity. The job after it is answered."""
    world = world_of("a", "b", "c")
    world.gem.answers["a"] = [refused]
    tick = check_jobs(world.checker)
    assert world.gem.asked == ["a", "b", "c"]
    assert (tick.checked, tick.problems, tick.not_answered, tick.stopped) == (2, 1, 1, None)
    assert (world.record("a").failures, world.record("a").last_problem) == (1, str(refused))
    (found,) = find_trouble(world.manager)
    assert (found["jobRunId"], found["trouble"]) == ("a", "not_answered")


@pytest.mark.parametrize("refused", REFUSALS, ids=["401", "403"])
def test_two_refusals_in_a_row_stop_the_tick(
    refused: GemAccessError, caplog: pytest.LogCaptureFixture
) -> None:
    """Even with an answer that decides nothing between the two."""
    world = world_of("a", "b", "c", "d", gem_answer=refused)
    world.gem.answers["b"] = [GemUnavailable("GEM answered 500")]
    with pytest.raises(type(refused)):
        check_jobs(world.checker)
    assert world.gem.asked == ["a", "b", "c"]
    assert [world.record(job).failures for job in "abcd"] == [0, 1, 0, 0]
    (line,) = logged(caplog, "tick_stopped")
    assert (line["job_run_id"], line["reason"]) == ("a", str(refused))


def test_the_next_tick_begins_with_the_jobs_that_were_not_refused() -> None:
    """A refused job is known by its marker, so others are asked before it from then on."""
    foreign, own = [f"a{n}" for n in range(20)], ["z"]
    world = world_of(*foreign, *own, gem_answer=REFUSALS[0])
    world.gem.answers["z"] = [answer("running")]
    ticks = 0
    while "z" not in world.gem.asked:
        ticks += 1
        assert ticks < 30
        with suppress(GemUnauthorized):
            check_jobs(world.checker)
        world.clock.move(minutes=1)
    world.clock.move(minutes=11)  # every claim has ended
    world.gem.asked.clear()
    with suppress(GemUnauthorized):
        check_jobs(world.checker)
    assert world.gem.asked[0] == "z"
