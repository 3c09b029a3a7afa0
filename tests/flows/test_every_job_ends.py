"""A job about which GEM never answers usably ends at its deadline, if GEM answers otherwise."""

from contextlib import suppress
from datetime import timedelta

import pytest

from gem_core.errors import (
    GemAccessError,
    GemAnswerError,
    GemError,
    GemForbidden,
    GemQuestionRefused,
    GemUnauthorized,
    GemUnavailable,
)
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.gem.job import IMPOSSIBLE_JOB
from gem_core.watch.record import Settlement, Stage
from tests.builders import JOB, World, answer, check_manifest
from tests.fakes import START, GemAnswer
from tests.flows.build import world_of

NEVER_A_JOB = [GemAnswerError("GEM answered 410"), GemQuestionRefused("GEM answered 400")]
ALONE = [GemUnavailable("GEM answered 500"), GemForbidden("GEM answered 403")]


def ticks(world: World, until: timedelta) -> int:
    """How many ticks it takes until the job has settled."""
    ends, count = world.clock() + until, 0
    while world.clock() < ends and world.record().stage is Stage.WATCHING:
        with suppress(GemAccessError):
            check_jobs(world.checker)
        count += 1
        world.clock.move(world.policy.check_max)
    return count


def after_the_deadline(gem_answer: GemAnswer) -> World:
    world = world_of(JOB, gem_answer=gem_answer)
    world.clock.move(world.policy.job_deadline)
    return world


@pytest.mark.parametrize("error", [*NEVER_A_JOB, *ALONE], ids=str)
def test_a_job_alone_without_an_answer_expires_at_the_third_question(error: GemError) -> None:
    world = after_the_deadline(error)
    assert ticks(world, timedelta(days=1)) == 3
    assert world.record().settlement is Settlement.EXPIRED
    assert deliver_results(world.deliverer, JOB)
    data = check_manifest(world.queue.sent[0])["data"]
    assert data["outcome"] == "expired"
    assert data["settlement"]["lastHeard"] == str(error)


@pytest.mark.parametrize("error", [*NEVER_A_JOB, *ALONE], ids=str)
def test_before_the_deadline_nothing_is_concluded(error: GemError) -> None:
    world = world_of(JOB, gem_answer=error)
    assert ticks(world, world.policy.job_deadline - world.policy.check_max) > 100
    assert (world.record().stage, world.record().beyond_deadline) == (Stage.WATCHING, 0)


@pytest.mark.parametrize("error", [*ALONE, GemUnauthorized("GEM answered 401")], ids=str)
def test_while_gem_as_a_whole_fails_nothing_is_concluded(error: GemError) -> None:
    world = after_the_deadline(error)
    world.gem.answers[IMPOSSIBLE_JOB] = [error]
    ticks(world, timedelta(days=1))
    assert (world.record().stage, world.record().beyond_deadline) == (Stage.WATCHING, 0)


def test_a_question_that_gem_leaves_unanswered_changes_nothing_and_an_early_one_ends_the_row() -> (
    None
):
    down, there = GemUnavailable("GEM answered 500"), answer("running")
    world = world_of(JOB)
    world.gem.answers[JOB] = [there, down]
    check_jobs(world.checker)
    world.clock.move(world.policy.job_deadline)
    for _ in range(2):
        check_jobs(world.checker)
        world.clock.move(world.policy.check_max)
    assert world.record().beyond_deadline == 2
    job = world.record().job
    assert job
    world.gem.answers[IMPOSSIBLE_JOB] = [down]
    check_jobs(world.checker)
    assert world.record().beyond_deadline == 2
    assert world.record().answered(job, START).beyond_deadline == 0
    assert world.record().answered_not_found(START).beyond_deadline == 0


def test_the_question_about_gem_costs_nothing_before_the_deadline() -> None:
    world = world_of(JOB, gem_answer=GemUnavailable("GEM answered 500"))
    check_jobs(world.checker)
    assert world.gem.asked == [JOB]
