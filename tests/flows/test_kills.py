"""The process may die before or after any call to storage, GEM or the queue: the manifest arrives.

The calls are recorded during a run without deaths, so a new call is tested without further work.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import redeliver_job, register_job
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, answer, check_manifest, finished, matched_file
from tests.fakes import START, Killed, Trap

type Life = Callable[[World], None]

_ANSWERS: dict[str, dict[str, Any]] = {"finished": finished(), "failed": answer("failed")}


def new_world(kind: str, trap: Trap | None = None) -> World:
    world = World(trap=trap or Trap())
    world.trap.check = world.assert_open_records_are_marked
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [answer("running"), _ANSWERS[kind]]
    return world


def live(world: World) -> None:
    """Run a job from its registration to its manifest."""
    register_job(world.manager, JOB, None)
    check_jobs(world.checker)
    world.clock.move(minutes=5)
    check_jobs(world.checker)
    deliver_results(world.deliverer, JOB)


def recover(world: World) -> None:
    """Run what follows a death: a new registration, ticks, and the deliveries of new tickets.

    The event of a ticket that was written before the death is lost.
    """
    world.trap = Trap(check=world.assert_open_records_are_marked)
    world.new_tickets()
    register_job(world.manager, JOB, None)
    while world.record().stage is not Stage.DELIVERED:
        assert world.clock() < START + timedelta(hours=3), "nothing delivered it"
        world.clock.move(minutes=5)
        check_jobs(world.checker)
        for job_run_id in world.new_tickets():
            deliver_results(world.deliverer, job_run_id)
    for _ in range(2):  # deletes old markers
        world.clock.move(hours=2)
        check_jobs(world.checker)


def assert_one_manifest(world: World) -> None:
    events = [check_manifest(body) for body in world.queue.sent]
    assert events
    assert len(set(world.queue.sent)) == 1
    assert len({event["id"] for event in events}) == 1
    assert world.record().manifest_id == events[0]["id"]
    assert not world.marked()
    for event in events:
        name = event["data"]["report"]["url"].partition("gem-reports/")[2]
        held = world.reports.get(name)
        assert held
        assert json.loads(held.body)["id"] == event["id"]


def calls_of(kind: str) -> list[str]:
    world = new_world(kind)
    live(world)
    assert_one_manifest(world)
    return world.trap.calls


_KILLS = [
    pytest.param(kind, at, after, id=f"{kind}-{at}-{'after' if after else 'before'}-{call}")
    for kind in _ANSWERS
    for at, call in enumerate(calls_of(kind))
    for after in (False, True)
]


def test_the_recorded_calls_include_every_dependency() -> None:
    calls = set(calls_of("finished"))
    assert {
        "jobs.create",
        "jobs.replace",
        "worklist.put",
        "worklist.delete",
        "tickets.put",
        "gem.get_job",
        "files.open",
        "files.source.read",
        "reports.create",
        "manifests.create",
        "queue.send",
        "heartbeat.put",
    } <= calls


@pytest.mark.parametrize(("kind", "at", "after"), _KILLS)
def test_a_death_delays_a_manifest_and_never_loses_it(kind: str, at: int, *, after: bool) -> None:
    world = new_world(kind, Trap(at, after=after))
    with pytest.raises(Killed):
        live(world)
    world.assert_open_records_are_marked()
    recover(world)
    assert_one_manifest(world)


@pytest.mark.parametrize(("kind", "at", "after"), _KILLS)
def test_a_repeated_ticket_does_what_the_sweep_does(kind: str, at: int, *, after: bool) -> None:
    world = new_world(kind, Trap(at, after=after))
    with pytest.raises(Killed):
        live(world)
    world.trap = Trap(check=world.assert_open_records_are_marked)
    stored = world.registry.get(JOB)
    if stored is None or stored.record.stage is not Stage.SETTLED:
        assert bool(world.queue.sent) == bool(stored and stored.record.stage is Stage.DELIVERED)
        return
    deliver_results(world.deliverer, JOB)
    deliver_results(world.deliverer, JOB)
    assert_one_manifest(world)


def _redelivery_calls() -> list[str]:
    world = new_world("finished")
    live(world)
    start = len(world.trap.calls)
    redeliver_job(world.manager, JOB)
    return world.trap.calls[start:]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(len(_redelivery_calls())))
def test_a_death_during_a_redelivery_leaves_it_requested_or_not(at: int, *, after: bool) -> None:
    world = new_world("finished")
    live(world)
    world.trap = Trap(at, after=after, check=world.assert_open_records_are_marked)
    with pytest.raises(Killed):
        redeliver_job(world.manager, JOB)
    asked_for = world.record().stage is Stage.SETTLED
    recover(world)
    assert len(world.queue.sent) == (2 if asked_for else 1)
    assert_one_manifest(world)
