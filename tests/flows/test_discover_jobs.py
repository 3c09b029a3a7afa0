"""Jobs of GEM's list are added once, and one that somebody removed never comes back."""

from datetime import timedelta
from random import Random

import pytest

from gem_core.errors import GemAccessError, GemAnswerError, GemJobNotFound, GemUnavailable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.discover_jobs import discover_jobs
from gem_core.flows.manage_jobs import forget_job, register_job
from gem_core.gem.contracts import known
from gem_core.gem.job import GemJob
from gem_core.moments import moment_text
from gem_core.watch.discovery import LABELS, NAME
from gem_core.watch.record import Stage
from gem_core.watch.registry import ORPHAN_AGE
from tests.builders import OUTPUT, World, answer, check_manifest, finished, logged, matched_file
from tests.fakes import START, Killed, Trap
from tests.flows.build import world_of
from tests.flows.discovering import EVERY, discovering, listed
from tests.gem.contracts.newer import newer_answer


def registered(world: World) -> set[str]:
    return {name.removesuffix(".json") for name in world.jobs.names()}


def test_a_discovered_job_is_watched_and_delivered_with_its_label() -> None:
    world = discovering(listed("job-a"))
    world.files.write(OUTPUT, matched_file())
    check_jobs(world.checker)
    record = world.record("job-a")
    assert (record.stage, record.discovered, record.job) == (Stage.WATCHING, True, None)
    world.gem.answers["job-a"] = [finished()]
    check_jobs(world.checker)
    deliver_results(world.deliverer, "job-a")
    data = check_manifest(world.queue.sent[0])["data"]
    assert (data["outcome"], data["labels"]) == ("valid", LABELS)


@pytest.mark.parametrize(
    "job",
    [
        listed("job-old", timedelta(hours=24)),
        listed("job-of-tomorrow", timedelta(hours=-1)),
        listed("job-other", inputFileName="places.parquet"),
        listed("job-ageless", createdAt=None),
        listed("job-nameless", inputFileName=None),
        listed("no job id"),
    ],
    ids=lambda job: job.job_run_id,
)
def test_other_jobs_are_left_alone(job: GemJob) -> None:
    world = discovering(job)
    check_jobs(world.checker)
    assert registered(world) == set()


def test_a_job_of_the_newer_pages_is_discovered() -> None:
    job = known.read(newer_answer(requested_at=moment_text(START), input_filename="roads.parquet"))
    world = discovering(job)
    check_jobs(world.checker)
    assert registered(world) == {"123456789"}


def test_gem_is_asked_every_so_often_also_by_several_processes() -> None:
    world = discovering(listed("job-a"))
    for _ in range(3):
        check_jobs(world.checker)
    other = discovering(world=world)
    check_jobs(other.checker)
    assert world.gem.asked.count("list in x-version-1") == 1
    world.clock.move(EVERY)
    check_jobs(world.checker)
    assert world.gem.asked.count("list in x-version-1") == 2


def test_a_clock_that_was_ahead_does_not_end_discovery() -> None:
    world = discovering()
    world.worklist.put(NAME, b'{"askedAt": "2099-01-01T00:00:00Z"}')
    check_jobs(world.checker)
    assert world.gem.asked == ["list in x-version-1"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"askedAt": 7}', b"{}"])
def test_an_unreadable_document_is_written_again(body: bytes) -> None:
    world = discovering(listed("job-a"))
    world.worklist.put(NAME, body)
    check_jobs(world.checker)
    assert registered(world) == {"job-a"}


def test_a_removed_job_does_not_come_back() -> None:
    world = discovering(listed("job-a"), listed("job-b"))
    forget_job(world.manager, "job-b")
    check_jobs(world.checker)
    assert registered(world) == {"job-a"}
    forget_job(world.manager, "job-a")
    for _ in range(3):
        world.clock.move(EVERY)
        check_jobs(world.checker)
    assert registered(world) == set()


def test_a_removed_job_can_be_registered_again() -> None:
    world = discovering(listed("job-a"))
    check_jobs(world.checker)
    forget_job(world.manager, "job-a")
    register_job(world.manager, "job-a", {"labels": {"team": "maps"}})
    world.clock.move(EVERY)
    check_jobs(world.checker)
    assert world.record("job-a").labels == {"team": "maps"}


def test_a_tombstone_goes_when_its_job_is_too_old_to_be_discovered() -> None:
    world = discovering(listed("job-a"))
    forget_job(world.manager, "job-a")
    world.clock.move(timedelta(hours=23))
    check_jobs(world.checker)
    assert world.registry.tombstones.has("job-a")
    world.clock.move(timedelta(hours=2))
    check_jobs(world.checker)
    assert not world.registry.tombstones.has("job-a")
    assert registered(world) == set()


@pytest.mark.parametrize("stage", [Stage.WATCHING, Stage.DELIVERED])
def test_a_registration_takes_a_discovered_job_over(stage: Stage) -> None:
    world = discovering(listed("job-a"))
    check_jobs(world.checker)
    if stage is Stage.DELIVERED:
        world.gem.answers["job-a"] = [answer("failed")]
        check_jobs(world.checker)
        deliver_results(world.deliverer, "job-a")
    body = {"labels": {"team": "maps"}, "expectedInputName": "roads.parquet"}
    is_new, shown = register_job(world.manager, "job-a", body)
    record = world.record("job-a")
    assert (is_new, record.stage, record.discovered) == (False, stage, False)
    assert (shown["labels"], record.expected_input_name) == ({"team": "maps"}, "roads.parquet")
    register_job(world.manager, "job-a", {"labels": {"team": "other"}})
    assert world.record("job-a").labels == {"team": "maps"}


@pytest.mark.parametrize(
    "problem",
    [GemUnavailable("503"), GemAccessError("403"), GemJobNotFound("404"), GemAnswerError("HTML")],
    ids=repr,
)
def test_a_list_that_fails_harms_no_tick(
    problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world = discovering(world=world_of("job-a"))
    world.gem.listed = problem
    assert check_jobs(world.checker).checked == 1
    assert logged(caplog, "discovery_failed")


def test_nothing_is_concluded_from_the_list() -> None:
    world = discovering(world=world_of("job-a"))
    before = world.record("job-a")
    discover_jobs(world.checker, [], ends_at=world.clock() + EVERY)
    assert world.record("job-a") == before


def test_while_others_hold_all_leases_the_next_tick_tries_again() -> None:
    world = discovering(listed("job-a"))
    lease = world.checker.limiter.acquire()
    assert lease
    check_jobs(world.checker)
    assert world.gem.asked == []
    lease.release()
    world.clock.move(minutes=1)
    check_jobs(world.checker)
    assert registered(world) == {"job-a"}


def slow(world: World) -> World:
    """The same world, where each request takes a second."""
    world.trap.check = lambda: world.clock.move(seconds=1)
    return world


def test_a_long_list_makes_no_tick_late(caplog: pytest.LogCaptureFixture) -> None:
    """300 jobs, and storage that needs a second for each request."""
    world = slow(discovering(*(listed(f"job-{number}") for number in range(300))))
    began = world.clock()
    check_jobs(world.checker)
    assert world.clock() - began <= timedelta(minutes=1)
    (line,) = logged(caplog, "jobs_listed")
    assert line["added"] == len(registered(world)) > 0
    assert line["remaining"] == 300 - line["added"]


def test_jobs_that_are_known_take_no_turn_from_the_others() -> None:
    """A list has 15 turns of two requests; 59 of its 60 jobs were removed."""
    jobs = [listed(f"job-{number:02}") for number in range(60)]
    world = discovering(*jobs)
    world.jitter = Random(1).random
    for job in jobs[:-1]:
        forget_job(world.manager, job.job_run_id)
    slow(world)
    for _ in range(20):
        check_jobs(world.checker)
        world.clock.move(EVERY)
    assert registered(world) == {"job-59"}


def test_many_old_tombstones_make_no_tick_late() -> None:
    world = discovering()
    for number in range(300):
        forget_job(world.manager, f"job-{number}")
    world.clock.move(timedelta(hours=25))
    slow(world)
    began = world.clock()
    check_jobs(world.checker)
    assert world.clock() - began <= timedelta(minutes=1)
    left = len(world.worklist.page(prefix="removed/", size=1000).items)
    assert 0 < left < 300


JOBS = (listed("job-a"), listed("job-b"), listed("job-removed"))


def with_removed_job(trap: Trap) -> World:
    world = World()
    forget_job(world.manager, "job-removed")
    world.trap = trap
    return discovering(*JOBS, world=world)


def calls_of_a_tick() -> int:
    world = with_removed_job(Trap())
    check_jobs(world.checker)
    return len(world.trap.calls)


@pytest.mark.parametrize("after", [False, True])
def test_the_process_may_die_at_any_call(*, after: bool) -> None:
    """The next question completes what is left; a removed job stays away."""
    for number in range(calls_of_a_tick()):
        world = with_removed_job(Trap(number, after=after))
        with pytest.raises(Killed):
            check_jobs(world.checker)
        world.trap = Trap()
        for _ in range(3):  # a marker without its record hides the job for an hour
            world.clock.move(ORPHAN_AGE + EVERY)
            check_jobs(discovering(*JOBS, world=world).checker)
        assert registered(world) == {"job-a", "job-b"}, number
        world.assert_open_records_are_marked()


def test_what_discovery_costs_with_a_thousand_open_jobs() -> None:
    ids = [f"job-{number}" for number in range(1000)]
    calls = {}
    for with_discovery in (False, True):
        world = world_of(*ids)
        if with_discovery:
            discovering(*(listed(job_run_id) for job_run_id in ids), world=world)
        check_jobs(world.checker)
        world.clock.move(EVERY)
        world.trap.calls.clear()
        check_jobs(world.checker)
        calls[with_discovery] = len(world.trap.calls)
    assert calls[True] - calls[False] == 7, "docs/gem.md: one to GEM, six to storage"
