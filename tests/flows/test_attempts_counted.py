"""Each audit that begins is counted once, whoever writes at the same time."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from gem_core.errors import OutputUnreachable, RecordConflict
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.outcome import Outcome
from tests.builders import JOB
from tests.fakes import Killed
from tests.flows.build import AWAY, delivered, overtaken, settled


def test_the_sweep_waits_from_the_beginning_of_an_audit() -> None:
    """The ticket waited on the host's queue, and the host tries a dead one again after 600 s."""
    world = settled()
    world.clock.move(minutes=14)
    world.audit = Mock(side_effect=Killed)
    with pytest.raises(Killed):
        deliver_results(world.deliverer, JOB)
    begun = world.clock()
    world.new_tickets()
    while not world.new_tickets():
        world.clock.move(minutes=1)
        check_jobs(world.checker)
    assert world.clock() - begun == world.policy.repeat_ticket_after
    assert world.policy.repeat_ticket_after >= timedelta(seconds=616 + 120)


def test_an_audit_costs_one_write() -> None:
    world = settled()
    world.trap.calls.clear()
    deliver_results(world.deliverer, JOB)
    writes = [call for call in world.trap.calls if call.startswith(("jobs.", "worklist."))]
    assert writes == [
        "jobs.get",
        "jobs.replace",
        "worklist.etag",
        "jobs.replace",
        "worklist.delete",
    ]


def test_two_audits_that_begin_at_the_same_time_count_two() -> None:
    world = settled()
    world.audit = Mock(side_effect=Killed)

    def die() -> None:
        with pytest.raises(Killed):
            deliver_results(world.deliverer, JOB)

    def meanwhile() -> None:
        world.clock.move(seconds=1)
        die()

    overtaken(world, meanwhile)
    die()
    assert world.record().attempts.begun == 2


def test_a_write_that_the_sdk_repeated_counts_once() -> None:
    """The first try arrived, and its answer was lost; the second finds what the first wrote."""
    world = settled()
    world.audit = Mock(side_effect=OutputUnreachable("slow"))
    real = world.jobs.replace
    left = [RecordConflict("ConditionNotMet")] * 2

    def twice(*args: Any, **options: Any) -> str:  # noqa: ANN401 - whatever the store takes
        etag = real(*args, **options)
        if left:
            raise left.pop()
        return etag

    world.jobs.replace = twice  # type: ignore[method-assign]
    assert deliver_results(world.deliverer, JOB) is None
    held = world.record().attempts
    assert held.begun == 0
    assert held.postponement
    assert held.postponement.times == 1


def test_an_audit_that_ends_is_not_counted_for_the_next_problem() -> None:
    world = settled()
    world.queue.refuses = AWAY
    for _ in range(3):
        deliver_results(world.deliverer, JOB)
        world.wait()
    assert world.record().attempts.begun == 0
    world.queue.refuses = None
    assert delivered(world)["data"]["outcome"] == Outcome.VALID
