"""A tick counts the messages of the poison queues, and removes those that need nobody."""

from datetime import timedelta

import pytest

from gem_core.errors import StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job
from gem_core.watch.batch import CLAIM_TIME
from gem_core.watch.poison import PoisonMessage
from tests.builders import World, answer, logged, new_record
from tests.fakes import START, FakePoison
from tests.flows.poisoned import handed_out, manager, ticket, undelivered


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


def test_a_tick_removes_what_was_delivered_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise the alert about it would not end for seven days."""
    world = undelivered("done", "open", "gone")
    _, queue = manager(world, *map(ticket, ("done", "open", "gone")), "hello")
    queue.page = 32
    deliver_results(world.deliverer, "done")
    forget_job(world.manager, "gone")
    assert check_jobs(world.checker).poison_messages == 2
    assert [each.text for each in queue.peek()] == [ticket("open"), "hello"]
    removed = [line["job_run_id"] for line in logged(caplog, "poison_removed")]
    assert sorted(removed) == ["done", "gone"]


def test_a_tick_says_since_when_the_oldest_message_waits() -> None:
    """Of those that wait for a person: the others are deleted by the same tick."""
    world = undelivered("done", "open")
    older, newer = (FakePoison(page=32, clock=world.clock) for _ in range(2))
    world.poison = (newer, older)
    for queue, text in ((older, ticket("done")), (older, "hello"), (newer, ticket("open"))):
        queue.put(text)
        world.clock.move(hours=1)
    deliver_results(world.deliverer, "done")
    tick = check_jobs(world.checker)
    assert (tick.poison_messages, tick.oldest_poison_at) == (2, START + timedelta(hours=1))
    older.held.clear()
    newer.held.clear()
    assert check_jobs(world.checker).oldest_poison_at is None


def test_a_tick_takes_no_message_when_all_of_them_wait_for_a_person() -> None:
    world = undelivered("open", "broken")
    world.jobs.put("broken.json", b"{")
    manager(world, ticket("open"), ticket("broken"), "hello")
    assert check_jobs(world.checker).poison_messages == 3
    assert "poison.peek" in world.trap.calls
    assert "poison.take" not in world.trap.calls


def test_a_tick_removes_a_batch_once_its_jobs_are_due_without_it() -> None:
    world, message = handed_out("a")
    manager(world, message)
    world.clock.move(CLAIM_TIME - timedelta(seconds=1))
    assert check_jobs(world.checker).poison_messages == 1
    world.clock.move(seconds=1)
    assert check_jobs(world.checker).poison_messages == 0


def test_a_message_that_cannot_be_removed_is_visible_again() -> None:
    class Stubborn(FakePoison):
        def delete(self, message: PoisonMessage) -> None:
            raise StoreError(f"{message.id} stays")

    world = undelivered("a", "b")
    queue = Stubborn(page=32)
    for job_run_id in ("a", "b"):
        queue.put(ticket(job_run_id))
    deliver_results(world.deliverer, "b")
    world.poison = (queue,)
    assert check_jobs(world.checker).poison_messages is None
    assert len(queue.peek()) == 2


def test_a_count_that_fails_never_stops_a_tick(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.poison = (FakePoison(), Uncountable())
    world.registry.add(new_record("a"))
    world.gem.answers["a"] = [answer("running")]
    tick = check_jobs(world.checker)
    assert (tick.checked, tick.poison_messages) == (1, None)
    assert logged(caplog, "poison_not_counted")[0]["level"] == "WARNING"
