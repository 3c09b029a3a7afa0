"""A container that is being deleted for a while, and a poison message that Azure dropped."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from devkit.runner.blob_message import BlobMessage
from gem_core.errors import StoreError, StoreMissing
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.manage_jobs import register_job
from gem_core.storage.names import TICKETS
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, answer, finished, matched_file
from tests.fakes import FakePoison, Trap
from tests.flows.build import settled

EDGES = {
    "gem-jobs": ("jobs",),
    "gem-worklist": ("worklist", "heartbeat", "leases", "durations"),
    "gem-tickets": ("tickets",),
    "gem-reports": ("reports",),
    "gem-outbox": ("manifests",),
}


class Refusing(Trap):
    """Refuses every call of some edges."""

    edges: tuple[str, ...] = ()

    def call(self, name: str, do: Callable[[], Any]) -> Any:  # noqa: ANN401 - as in Trap
        if name.partition(".")[0] in self.edges:
            raise StoreMissing(f"{name}: the container is being deleted in GEM_STATE")
        return super().call(name, do)


@pytest.mark.parametrize("container", EDGES)
def test_a_container_that_is_being_deleted_delays_what_needs_it_and_loses_nothing(
    container: str,
) -> None:
    """Storage answers 409 ContainerBeingDeleted. Then somebody restores the container."""
    world = World(trap=(trap := Refusing()))
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [answer("running"), finished()]
    register_job(world.manager, JOB, None)
    check_jobs(world.checker)

    def minutes(count: int) -> None:
        for _ in range(count):
            world.clock.move(minutes=1)
            with suppress(StoreError):
                check_jobs(world.checker)
            for ticket in world.new_tickets():
                with suppress(StoreError):
                    deliver_results(world.deliverer, ticket)

    trap.edges = EDGES[container]
    minutes(45)
    assert world.record().stage is not Stage.DELIVERED
    trap.edges = ()
    minutes(75)
    assert world.record().stage is Stage.DELIVERED
    assert not world.marked()
    assert {event["data"]["outcome"] for event in world.queue.events()} == {"valid"}
    assert len({event["id"] for event in world.queue.events()}) == 1


def test_a_job_whose_poison_message_azure_dropped_after_a_week_is_still_delivered() -> None:
    """The queue deletes a message after seven days. The worklist still has the job."""
    world = settled()
    poison = FakePoison(clock=world.clock)
    world.poison = (poison,)
    world.new_tickets()  # it failed five times
    text = BlobMessage("Host.Functions.deliver_results", TICKETS, f"{JOB}.json", "").to_json()
    poison.put(text)
    assert find_trouble(world.manager)[0]["trouble"] == "poison"
    world.clock.move(days=8)
    assert poison.count() == 0
    assert find_trouble(world.manager)[0]["trouble"] == "undelivered"
    check_jobs(world.checker)
    assert world.new_tickets() == [JOB]
    assert deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.DELIVERED
