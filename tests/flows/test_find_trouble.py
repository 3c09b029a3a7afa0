"""Jobs that need attention are found from the open jobs only."""

from datetime import timedelta

from gem_core.errors import GemJobNotFound, GemUnavailable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.find_trouble import find_trouble
from gem_core.watch.trouble import OVERDUE_AFTER
from tests.builders import JOB, World, answer, finished, new_record


def test_the_oldest_problem_is_first() -> None:
    world = World()
    world.settle(answer("failed"), "undelivered")
    world.clock.move(minutes=30)
    world.add("fine", "unanswered", "broken")
    world.gem.answers |= {
        "fine": [answer("running")],
        "unanswered": [GemUnavailable("GEM answered 500")],
        "broken": [answer("running")],
    }
    check_jobs(world.checker)
    world.jobs.put("broken.json", b"{")
    world.clock.move(minutes=4)
    check_jobs(world.checker)
    world.worklist.put("jobs/orphan", b"", metadata={"due": "2026-01-20T10:00:00+00:00"})
    progress: list[tuple[int, int]] = []
    found = find_trouble(world.manager, on_read=lambda *done: progress.append(done))
    assert [(each["jobRunId"], each["trouble"]) for each in found] == [
        ("broken", "unreadable"),
        ("undelivered", "undelivered"),
        ("unanswered", "not_answered"),
    ]
    assert found[1]["since"] == "2026-01-20T10:00:00+00:00"
    assert (found[0]["stage"], found[0]["since"]) == (None, None)
    assert progress == [(n, 4) for n in range(1, 5)]


def test_only_records_of_open_jobs_are_read() -> None:
    world = World()
    for number in range(50):
        world.jobs.put(f"done-{number}.json", b"{}")
    world.add("fine", "late", "older")
    world.worklist.put("jobs/older", b"", metadata={"due": "2026-01-20T10:30:00+00:00"})
    world.clock.move(OVERDUE_AFTER + timedelta(seconds=1))
    world.registry.mark_open(new_record("fine", world.clock()))
    world.trap.calls.clear()
    found = find_trouble(world.manager)
    assert [each["jobRunId"] for each in found] == ["late", "older"]
    assert world.trap.calls == ["worklist.every", "jobs.get", "jobs.get"]


def test_the_marker_says_each_trouble_of_a_watched_job_and_its_end() -> None:
    """Written when the state changes, even if the job's claim ends at the right time."""
    world = World()
    world.add(JOB)
    states = []
    for each in (
        GemUnavailable("GEM answered 500"),
        GemJobNotFound("GEM answered 404"),
        answer("odd"),
        answer("running"),
        finished(),
    ):
        world.gem.answers[JOB] = [each]
        check_jobs(world.checker)
        states += [job.state for job in world.registry.open_jobs()]
        world.clock.move(minutes=10)
    assert states == ["not_answered", "not_found", "unknown_status", "fine", "settled"]
