"""Messages of the poison queues are replayed, and none is lost."""

import json
from dataclasses import dataclass, field

import pytest

from gem_core.errors import StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job
from gem_core.flows.replay_poison import PoisonManager, Replay, list_poison, replay_poison
from gem_core.watch.batch import Batch
from gem_core.watch.poison import PoisonMessage
from gem_core.watch.registry import OpenJob
from tests.builders import World, answer, logged, new_record
from tests.fakes import START, Killed, Trap

TICKETS = "gem-tickets"


def ticket(job_run_id: str) -> str:
    return json.dumps({"ContainerName": TICKETS, "BlobName": f"{job_run_id}.json"})


@dataclass
class FakePoison:
    """A queue in memory: a taken message is hidden until it is put back or deleted."""

    name: str = "webjobs-blobtrigger-poison"
    held: list[PoisonMessage] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    page: int = 2

    def put(self, text: str) -> None:
        number = len(self.held) + len(self.hidden)
        self.held.append(PoisonMessage(f"m{number}", text, START))

    def count(self) -> int:
        return len(self.held)

    def peek(self) -> tuple[PoisonMessage, ...]:
        return tuple(each for each in self.held if each.id not in self.hidden)[: self.page]

    def take(self) -> tuple[PoisonMessage, ...]:
        taken = self.peek()
        self.hidden |= {each.id for each in taken}
        return taken

    def delete(self, message: PoisonMessage) -> None:
        assert message.id in self.hidden
        self.held.remove(message)

    def put_back(self, message: PoisonMessage) -> None:
        self.hidden.remove(message.id)


def undelivered(*job_run_ids: str) -> World:
    """Settled jobs whose tickets did not lead to a delivery."""
    world = World()
    for job_run_id in job_run_ids:
        world.settle(answer("failed"), job_run_id)
    world.new_tickets()
    return world


def manager(world: World, *texts: str) -> tuple[PoisonManager, FakePoison]:
    queue = FakePoison()
    for text in texts:
        queue.put(text)
    return PoisonManager(world.manager, (world.trap.around(queue, "poison"),), TICKETS), queue


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


def test_the_message_of_a_batch_is_only_deleted() -> None:
    world = undelivered("a")
    batch = Batch(START, (OpenJob("a", START, START, "0x1"),)).to_json()
    poison, queue = manager(world, batch, "{}")
    assert [each["result"] for each in replay_poison(poison)] == [Replay.BATCH, Replay.UNKNOWN]
    assert world.new_tickets() == []
    assert [each.text for each in queue.held] == ["{}"]


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


def test_a_listing_shows_the_jobs_of_messages_and_changes_nothing() -> None:
    world = undelivered("a", "broken")
    world.jobs.put("broken.json", b"{")
    poison, queue = manager(world, ticket("a"), "hello")
    queue.page = 32
    for text in (ticket("broken"), ticket("unknown")):
        queue.put(text)
    found = list_poison(poison)
    assert found["queues"] == [{"queue": queue.name, "messages": 4}]
    results = [(each["jobRunId"], each["stage"], each["tickets"]) for each in found["messages"]]
    assert results == [
        ("a", "settled", 1),
        (None, None, None),
        ("broken", "record_unreadable", None),
        ("unknown", "not_registered", None),
    ]
    assert found["messages"][1]["text"] == "hello"
    assert found["messages"][0]["since"] == START.isoformat()
    assert queue.hidden == set()


class Uncountable(FakePoison):
    def count(self) -> int:
        raise StoreError("queue 'x': no answer")


@pytest.mark.parametrize(
    ("queues", "counted"), [((), 0), ((FakePoison(held=[PoisonMessage("m", "", None)]),), 1)]
)
def test_a_tick_counts_failed_messages(queues: tuple[FakePoison, ...], counted: int) -> None:
    world = World()
    world.poison = queues
    assert check_jobs(world.checker).poison_messages == counted
    last = world.heartbeat.last()
    assert last
    assert last["poisonMessages"] == counted


def test_a_count_that_fails_never_stops_a_tick(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.poison = (FakePoison(), Uncountable())
    world.registry.add(new_record("a"))
    world.gem.answers["a"] = [answer("running")]
    tick = check_jobs(world.checker)
    assert (tick.checked, tick.poison_messages) == (1, None)
    assert logged(caplog, "poison_not_counted")[0]["level"] == "WARNING"


def test_the_record_counts_a_ticket_before_it_is_raised() -> None:
    """A ticket that is not counted would be raised at every tick."""
    calls = calls_of_a_replay()
    assert calls.index("jobs.replace") < calls.index("tickets.put")
