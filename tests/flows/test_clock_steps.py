"""A clock that is wrong for a while, or is set right, loses no job and leaves none idle."""

from datetime import timedelta

import pytest

from gem_core.errors import GemJobNotFound
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.gem.client import MAX_RETRY_AFTER_SECONDS
from gem_core.watch.attempts import LONGEST_WAIT
from gem_core.watch.batch import CLAIM_TIME, plan_batches
from gem_core.watch.heartbeat import Tick
from gem_core.watch.rate_limiter import LEASE_TIME
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.schedule import (
    CLOCK_SKEW,
    EXPIRED_AFTER_ANSWERS,
    LOST_AFTER_ANSWERS,
    MAX_RETRY_AFTER,
    MAX_SWEEP_WAIT,
    is_due,
)
from tests.builders import JOB, World, answer, finished, policy
from tests.fakes import START
from tests.flows.build import world_of

STEPS = [timedelta(hours=-2), timedelta(hours=2), timedelta(days=-1), timedelta(days=1)]
BACK = [step for step in STEPS if step < timedelta(0)]
MINUTE = timedelta(minutes=1)


def ticks(world: World, *, minutes: int) -> list[Tick]:
    """One tick a minute."""
    found = []
    for _ in range(minutes):
        found.append(check_jobs(world.checker))
        world.clock.move(MINUTE)
    return found


def asked(world: World) -> int:
    return len(world.gem.asked)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_jobs_are_asked_about_as_often_as_before_the_step(step: timedelta) -> None:
    world = world_of("a", "b", "c")
    ticks(world, minutes=60)
    world.clock.move(step)
    before = asked(world)
    after = ticks(world, minutes=11)
    assert asked(world) - before >= 3
    assert not any(tick.stopped for tick in after)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_one_tick_at_a_wrong_time_changes_nothing_for_the_next(step: timedelta) -> None:
    world = world_of("a", "b", "c")
    ticks(world, minutes=30)
    world.clock.move(step)
    check_jobs(world.checker)
    world.clock.move(-step)
    before = asked(world)
    after = ticks(world, minutes=11)
    assert asked(world) - before >= 3
    assert not any(tick.stopped for tick in after)
    world.gem.answers = {job: [finished()] for job in "abc"}
    ticks(world, minutes=11)
    assert {world.record(job).settlement for job in "abc"} == {Settlement.FINISHED}


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_tick_that_died_with_its_lease_and_its_claims_delays_only(step: timedelta) -> None:
    world = world_of("a", "b")
    lease = world.checker.limiter.acquire()
    assert lease
    for job in world.registry.open_jobs():
        world.registry.claim(job, world.clock() + timedelta(minutes=15))
    world.clock.move(step)
    idle = [tick for tick in ticks(world, minutes=16) if tick.stopped]
    assert len(idle) * MINUTE <= LEASE_TIME + MINUTE
    assert {world.record(job).times_checked > 0 for job in "ab"} == {True}


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_ticket_is_raised_again_as_after_any_other_loss(step: timedelta) -> None:
    world = world_of(JOB, gem_answer=finished())
    check_jobs(world.checker)
    assert world.record().stage is Stage.SETTLED
    world.clock.move(step)
    ticks(world, minutes=11)
    assert world.record().tickets == 2


@pytest.mark.parametrize("step", [step for step in STEPS if step > timedelta(0)], ids=str)
@pytest.mark.parametrize("after", range(LOST_AFTER_ANSWERS - 1))
def test_a_jump_forward_makes_no_job_lost(step: timedelta, after: int) -> None:
    """GEM shows the job again within half an hour; it would be lost after an hour."""
    world = world_of(JOB, gem_answer=GemJobNotFound("404"))
    while world.record().not_found <= after:
        ticks(world, minutes=1)
    left = max(30 - int((world.clock() - START) / MINUTE), 0)
    world.clock.move(step)
    ticks(world, minutes=left)
    assert world.record().stage is Stage.WATCHING
    world.gem.answers[JOB] = [answer("running")]
    ticks(world, minutes=11)
    assert world.record().not_found == 0


@pytest.mark.parametrize("step", [step for step in STEPS if step > timedelta(0)], ids=str)
def test_two_questions_at_a_wrong_time_let_no_job_expire(step: timedelta) -> None:
    world = world_of(JOB)
    ticks(world, minutes=11)
    world.policy = policy(job_deadline=timedelta(hours=1))
    world.clock.move(step)
    ticks(world, minutes=11)
    assert world.record().beyond_deadline == EXPIRED_AFTER_ANSWERS - 1
    world.clock.move(-step)
    ticks(world, minutes=11)
    assert (world.record().stage, world.record().beyond_deadline) == (Stage.WATCHING, 0)


@pytest.mark.parametrize("step", BACK, ids=str)
def test_a_job_is_lost_after_its_time_though_the_clock_went_back(step: timedelta) -> None:
    world = world_of(JOB, gem_answer=GemJobNotFound("404"))
    ticks(world, minutes=30)
    world.clock.move(step)
    ticks(world, minutes=59)
    assert world.record().stage is Stage.WATCHING
    ticks(world, minutes=25)
    assert world.record().settlement is Settlement.LOST


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_batches_are_never_late_when_the_clock_is_set(step: timedelta) -> None:
    """The batch is lost; new ones with its jobs follow, no later than without the step."""
    world = World(plan=plan_batches(10, 10))
    world.add("a", "b")
    assert check_jobs(world.checker).handed_out == 2
    lost = world.batches.take()
    assert lost
    world.clock.move(step)
    assert sum(tick.handed_out for tick in ticks(world, minutes=16)) >= 2


def test_a_time_is_due_when_it_has_come_or_when_no_rule_sets_it() -> None:
    limits = policy()
    farthest = START + MAX_SWEEP_WAIT + CLOCK_SKEW
    second = timedelta(seconds=1)
    assert is_due(START, START, limits)
    assert not is_due(START + second, START, limits)
    assert not is_due(farthest, START, limits)
    assert is_due(farthest + second, START, limits)
    long = policy(check_max=timedelta(days=3))
    assert not is_due(START + timedelta(days=3), START, long)
    assert MAX_RETRY_AFTER.total_seconds() == MAX_RETRY_AFTER_SECONDS
    assert max(MAX_RETRY_AFTER, CLAIM_TIME) <= MAX_SWEEP_WAIT


@pytest.mark.parametrize("back", [-step for step in BACK], ids=str)
def test_a_missing_output_is_not_awaited_longer_though_the_job_settled_by_a_clock_ahead(
    back: timedelta,
) -> None:
    world = world_of(JOB, gem_answer=finished())
    world.clock.move(back)
    check_jobs(world.checker)
    assert deliver_results(world.deliverer, JOB) is None
    world.clock.move(-back)
    for _ in range(int((world.output_grace + 2 * LONGEST_WAIT) / MINUTE)):
        ticks(world, minutes=1)
        for ticket in world.new_tickets():
            deliver_results(world.deliverer, ticket)
    assert world.record().outcome == "output_missing"
