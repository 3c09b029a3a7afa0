"""Jobs that need attention are found from the open jobs only."""

from gem_core.errors import GemUnavailable
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.find_trouble import find_trouble
from tests.builders import World, answer, new_record


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
    assert progress == [(n, 5) for n in range(1, 6)]


def test_only_records_of_open_jobs_are_read() -> None:
    world = World()
    for number in range(50):
        world.jobs.put(f"done-{number}.json", b"{}")
    world.registry.add(new_record("open"))
    world.trap.calls.clear()
    find_trouble(world.manager)
    assert world.trap.calls == ["worklist.every", "jobs.get"]
