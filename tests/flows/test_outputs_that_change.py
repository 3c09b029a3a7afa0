"""Outputs that appear late or never, and outputs that change during an audit."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.result import AuditResult
from gem_core.errors import OutputUnreachable
from gem_core.flows.audit_output import MAX_AUDITS
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.delivery import MAX_WAIT
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.watch.attempts import FIRST_WAIT
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, finished, logged, matched_file
from tests.fakes import START
from tests.flows.build import delivered, settled


def test_a_missing_output_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.settle(finished())
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []
    record = world.record()
    assert record.stage is Stage.SETTLED
    assert record.due_at == START + FIRST_WAIT
    assert world.marked()
    assert logged(caplog, "delivery_postponed")
    world.files.write(OUTPUT, matched_file())
    world.clock.move(FIRST_WAIT)
    world.new_tickets()
    check_jobs(world.checker)
    assert world.new_tickets() == [JOB]
    assert delivered(world)["data"]["outcome"] == "valid"


def test_an_output_is_missing_after_the_grace_time() -> None:
    world = World()
    world.settle(finished())
    looks = 0
    while not world.queue.sent:
        assert world.clock() <= START + world.output_grace + timedelta(minutes=1)
        check_jobs(world.checker)
        for job_run_id in world.new_tickets():
            deliver_results(world.deliverer, job_run_id)
            looks += 1
        world.clock.move(minutes=1)
    assert looks > 3
    (event,) = world.queue.events()
    assert event["data"]["outcome"] == "output_missing"
    assert event["data"]["output"] is None
    assert event["data"]["timing"]["delaySeconds"] >= 1800


def test_without_a_grace_time_an_absent_output_is_missing_at_once() -> None:
    world = World(output_grace=timedelta(0))
    world.settle(finished())
    assert delivered(world)["data"]["outcome"] == "output_missing"


def test_the_last_try_is_at_the_end_of_the_grace_time() -> None:
    world = World(output_grace=timedelta(minutes=3))
    world.settle(finished())
    world.clock.move(minutes=2, seconds=50)
    deliver_results(world.deliverer, JOB)
    assert world.record().due_at == START + timedelta(minutes=3)


def test_an_output_that_appears_after_output_missing_can_be_delivered() -> None:
    world = World(output_grace=timedelta(0))
    world.settle(finished())
    missed = delivered(world)
    world.queue.sent.clear()
    world.files.write(OUTPUT, matched_file())
    redeliver_job(world.manager, JOB)
    event = delivered(world)
    assert event["data"]["outcome"] == "valid"
    assert event["id"] != missed["id"]


def test_an_output_that_is_missing_again_has_another_id() -> None:
    """A listener that drops known ids must not keep `valid` as the last word."""
    world = World(output_grace=timedelta(0))
    world.settle(finished())
    ids = [delivered(world)["id"]]
    for output in (matched_file(), None):
        world.queue.sent.clear()
        world.clock.move(minutes=1)
        world.files.held.pop(OUTPUT, None)
        if output:
            world.files.write(OUTPUT, output)
        redeliver_job(world.manager, JOB)
        event = delivered(world)
        ids.append(event["id"])
    assert event["data"]["outcome"] == "output_missing"
    assert event["time"] == world.clock().isoformat()
    assert len(set(ids)) == 3


def test_a_conflict_while_waiting_keeps_both_changes() -> None:
    world = World()
    world.settle(finished())

    def other() -> None:
        if world.trap.calls[-1] == "jobs.get" and not changes:
            changes.append(1)
            held = world.jobs.get(f"{JOB}.json")
            assert held
            body = json.dumps(json.loads(held.body) | {"addedLater": 1}).encode()
            world.jobs.put(held.name, body)

    changes: list[int] = []
    world.trap.check = other
    assert deliver_results(world.deliverer, JOB) is None
    record = world.record()
    assert (record.stage, record.due_at) == (Stage.SETTLED, START + FIRST_WAIT)
    assert record.extra == {"addedLater": 1}


def test_an_unreachable_output_is_tried_again() -> None:
    world = settled()
    world.files.errors[OUTPUT] = OutputUnreachable("storage answered 503")
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []
    assert world.record().stage is Stage.SETTLED
    assert world.marked()
    del world.files.errors[OUTPUT]
    assert delivered(world)["data"]["outcome"] == "valid"


def test_an_output_that_changes_each_time_is_invalid_after_a_few(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = settled()
    world.files.on_read = lambda name: world.files.write(name, matched_file())
    data = delivered(world)["data"]
    assert data["outcome"] == "invalid"
    assert len(logged(caplog, "output_changed")) == MAX_AUDITS
    assert [name for _, name in world.files.opened].count(OUTPUT) == MAX_AUDITS
    assert data["match"] is None


def test_an_output_that_changed_once_is_audited_in_its_new_version() -> None:
    world = settled(output=matched_file(matched=10))
    changes = [matched_file()]
    world.files.on_read = lambda name: changes and world.files.write(name, changes.pop())
    data = delivered(world)["data"]
    assert data["outcome"] == "valid"
    assert data["output"]["etag"] == "E2"
    assert data["match"]["matches"] == 30


def test_an_output_that_no_longer_changes_is_audited_later() -> None:
    world = settled()
    world.files.on_read = lambda name: world.files.write(name, matched_file())
    first = delivered(world)
    world.files.on_read = lambda _: None
    world.queue.sent.clear()
    redeliver_job(world.manager, JOB)
    second = delivered(world)
    assert second["data"]["outcome"] == "valid"
    assert second["id"] != first["id"]


def test_an_output_that_was_deleted_during_the_audit_is_waited_for() -> None:
    world = settled()
    world.files.on_read = lambda name: world.files.held.pop(name, None)
    assert deliver_results(world.deliverer, JOB) is None
    assert world.record().stage is Stage.SETTLED


def after_audit(world: World, do: Callable[[], object]) -> Deliverer:
    """Something happens after the audit, for example while its page is drawn."""

    def audit(*args: Any, **options: Any) -> AuditResult:  # noqa: ANN401 - the arguments of an audit
        result = audit_in_process(*args, **options)
        do()
        return result

    return replace(world.deliverer, audit=audit)


def replaced_while_drawn(world: World) -> Deliverer:
    """The output is replaced each time after its audit."""

    def replace_output() -> None:
        world.files.write(OUTPUT, matched_file(matched=len(world.reports.names())))

    return after_audit(world, replace_output)


def test_an_output_that_was_replaced_before_its_manifest_was_sent_is_audited_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = settled()
    assert deliver_results(replaced_while_drawn(world), JOB) is None
    assert world.queue.sent == []
    (line,) = logged(caplog, "delivery_postponed")
    assert "replaced" in line["reason"]
    assert world.record().due_at == START + FIRST_WAIT
    assert delivered(world)["data"]["output"]["etag"] == "E2"


def test_an_output_that_is_replaced_each_time_delays_the_manifest_only_for_a_while() -> None:
    world = settled()
    while not deliver_results(replaced_while_drawn(world), JOB):
        world.clock.move(world.record().due_at - world.clock())
        assert world.clock() <= START + MAX_WAIT
    (event,) = world.queue.events()
    assert event["data"]["output"]["etag"] == f"E{len(world.reports.names())}"
    assert world.record().stage is Stage.DELIVERED


def test_an_output_that_becomes_unreachable_is_delivered_as_it_was_audited() -> None:
    world = settled()

    def refuse(_: str) -> None:
        raise OutputUnreachable("storage answered 503")

    def become_unreachable() -> None:
        world.files.on_read = refuse

    assert deliver_results(after_audit(world, become_unreachable), JOB)
    assert len(world.queue.sent) == 1
