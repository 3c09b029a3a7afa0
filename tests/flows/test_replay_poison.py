"""Messages of the poison queues are replayed, and none is lost."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest

from gem_core.commands.job_text import poison_counts
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.manage_jobs import forget_job
from gem_core.flows.replay_poison import Replay, list_poison, replay_poison
from gem_core.watch.batch import Batch, batch_from_json
from gem_core.watch.marker import OpenJob
from gem_core.watch.poison import PAGE
from tests.builders import logged
from tests.fakes import START, Killed, Trap
from tests.flows.poisoned import handed_out, manager, ticket, undelivered


def test_each_job_gets_its_ticket_and_the_queue_is_empty(caplog: pytest.LogCaptureFixture) -> None:
    world = undelivered("a", "b", "c")
    poison, queue = manager(world, *map(ticket, ("a", "b", "c")))
    done = list(replay_poison(poison))
    assert [(each["jobRunId"], each["result"]) for each in done] == [
        ("a", Replay.RAISED),
        ("b", Replay.RAISED),
        ("c", Replay.RAISED),
    ]
    assert world.new_tickets() == ["a", "b", "c"]
    assert queue.held == []
    assert len(logged(caplog, "poison_replayed")) == 3


@pytest.mark.parametrize("encode", [str, lambda text: base64.b64encode(text.encode()).decode()])
def test_a_replay_puts_the_jobs_of_a_batch_back(encode: Callable[[str], str]) -> None:
    world, message = handed_out("a", "b")
    poison, queue = manager(world, encode(message), "{}")
    world.clock.move(minutes=1)
    assert check_jobs(world.checker).due_jobs == 0
    assert [each["result"] for each in replay_poison(poison)] == [Replay.BATCH, Replay.UNKNOWN]
    assert [each.text for each in queue.held] == ["{}"]
    world.plan = None
    assert check_jobs(world.checker).checked == 2


def test_a_replay_leaves_a_job_that_was_checked_since() -> None:
    world, message = handed_out("a", "b")
    poison, _ = manager(world, message)
    (job, _) = batch_from_json(message).jobs
    later = START + timedelta(hours=1)
    world.registry.claim(job, later)
    list(replay_poison(poison))
    assert [job.due_at for job in world.registry.open_jobs()] == [later, START]


def test_five_messages_of_one_job_raise_one_ticket() -> None:
    world = undelivered("a")
    poison, queue = manager(world, *[ticket("a")] * 5)
    assert {each["result"] for each in replay_poison(poison)} == {Replay.RAISED}
    assert world.record("a").tickets == 2
    assert queue.held == []


def test_the_message_of_a_job_that_needs_no_ticket_is_only_deleted() -> None:
    world = undelivered("done", "gone")
    deliver_results(world.deliverer, "done")
    forget_job(world.manager, "gone")
    world.add("watched")
    poison, queue = manager(world, *map(ticket, ("done", "gone", "watched")))
    assert [each["result"] for each in replay_poison(poison)] == [
        Replay.DELIVERED,
        Replay.NOT_REGISTERED,
        Replay.WATCHING,
    ]
    assert world.new_tickets() == []
    assert queue.held == []


def test_an_unknown_or_unreadable_message_stays_on_the_queue() -> None:
    world = undelivered("a", "broken")
    world.jobs.put("broken.json", b"{")
    poison, queue = manager(world, "hello", ticket("a"), ticket("broken"))
    results = [(each["result"], each["kept"]) for each in replay_poison(poison)]
    assert results == [(Replay.UNKNOWN, True), (Replay.RAISED, False), (Replay.UNREADABLE, True)]
    assert [each.text for each in queue.peek()] == ["hello", ticket("broken")]


def test_a_conflict_keeps_the_message() -> None:
    world = undelivered("a")
    poison, queue = manager(world, ticket("a"))

    def overtake() -> None:
        if world.trap.calls[-1] == "jobs.get":
            held = world.jobs.get("a.json")
            assert held
            world.jobs.put(held.name, held.body)

    world.trap.check = overtake
    assert [each["result"] for each in replay_poison(poison)] == [Replay.CONFLICT]
    assert len(queue.peek()) == 1


def test_only_the_messages_of_the_requested_jobs_are_replayed() -> None:
    world = undelivered("a", "b")
    poison, queue = manager(world, ticket("a"), ticket("b"), "hello")
    assert [each["jobRunId"] for each in replay_poison(poison, {"b"})] == ["b"]
    assert [each.text for each in queue.peek()] == [ticket("a"), "hello"]


def calls_of_a_replay() -> list[str]:
    world = undelivered("a")
    world.trap = Trap()
    list(replay_poison(manager(world, ticket("a"))[0]))
    return world.trap.calls


@pytest.mark.parametrize(
    ("at", "after"),
    [(at, after) for at in range(len(calls_of_a_replay())) for after in (False, True)],
)
def test_a_death_during_a_replay_loses_nothing(at: int, *, after: bool) -> None:
    """Either the message is still on the queue, or the ticket was raised before its deletion."""
    world = undelivered("a")
    world.trap = Trap(at, after=after)
    poison, queue = manager(world, ticket("a"))
    with pytest.raises(Killed):
        list(replay_poison(poison))
    assert queue.held or world.new_tickets() == ["a"]
    # In any case the sweep raises the ticket later.
    world.trap = Trap()
    world.clock.move(hours=2)
    check_jobs(world.checker)
    assert "a" in world.new_tickets()


def test_the_ticket_is_raised_before_the_message_is_deleted() -> None:
    calls = calls_of_a_replay()
    assert calls.index("tickets.put") < calls.index("poison.delete")


def test_a_listing_says_that_it_is_not_complete() -> None:
    """The service shows the first messages only; a replay reaches all."""
    names = [f"job-{number}" for number in range(PAGE + 8)]
    world = undelivered(*names)
    poison, queue = manager(world, *map(ticket, names))
    queue.page = PAGE
    found = list_poison(poison)
    assert found["queues"] == [{"queue": queue.name, "messages": PAGE + 8, "listed": PAGE}]
    assert [each["jobRunId"] for each in found["messages"]] == names[:PAGE]
    assert poison_counts(found["queues"]) == [
        f"{queue.name}: 40 messages, of which the first 32 are listed"
    ]
    assert len(list(replay_poison(poison))) == len(names)


def test_a_listing_shows_the_jobs_of_messages_and_changes_nothing() -> None:
    world = undelivered("a", "broken")
    world.jobs.put("broken.json", b"{")
    poison, queue = manager(world, ticket("a"), "hello")
    queue.page = 32
    for text in (ticket("broken"), ticket("unknown")):
        queue.put(text)
    queue.put(Batch(START, (OpenJob("b", START, START, "0x1"),)).to_json())
    found = list_poison(poison)
    assert found["queues"] == [{"queue": queue.name, "messages": 5, "listed": 5}]
    results = [(each["jobRunId"], each["stage"], each["tickets"]) for each in found["messages"]]
    assert results == [
        ("a", "settled", 1),
        (None, None, None),
        ("broken", "record_unreadable", None),
        ("unknown", "not_registered", None),
        (None, None, None),
    ]
    jobs = [each["jobRunIds"] for each in found["messages"]]
    assert jobs == [["a"], [], ["broken"], ["unknown"], ["b"]]
    assert found["messages"][4]["text"] is None
    assert found["messages"][0]["expiresAt"] == (START + timedelta(days=7)).isoformat()
    assert found["messages"][1]["text"] == "hello"
    assert found["messages"][0]["since"] == START.isoformat()
    assert queue.hidden == set()


def test_a_job_whose_message_failed_too_often_is_in_trouble() -> None:
    world = undelivered("a", "done")
    poison, _ = manager(world, ticket("a"), ticket("done"), "hello")
    deliver_results(world.deliverer, "done")
    (found,) = find_trouble(poison)
    assert (found["jobRunId"], found["trouble"]) == ("a", "poison")
    assert found["since"] == START.isoformat()
    assert "failed too often" in found["problem"]


def test_the_record_counts_a_ticket_before_it_is_raised() -> None:
    """A ticket that is not counted would be raised at every tick."""
    calls = calls_of_a_replay()
    assert calls.index("jobs.replace") < calls.index("tickets.put")
