"""A job that is forgotten and registered again has manifests of its own."""

from typing import Any

import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.result import AuditResult
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job, register_job
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, finished, matched_file
from tests.fakes import Killed, Trap

OLD, NEW = {"team": "old"}, {"team": "new"}


def registered(labels: dict[str, str], **body: str) -> World:
    """A world where a job was registered with these labels, and has settled."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished()]
    register(world, labels, **body)
    return world


def register(world: World, labels: dict[str, str], **body: str) -> None:
    """Register the job, and run the tick that settles it."""
    world.clock.move(seconds=1)
    is_new, _ = register_job(world.manager, JOB, {"labels": labels, **body})
    assert is_new
    check_jobs(world.checker)


def delivered(world: World) -> dict[str, Any]:
    """The last event on the queue, after the job was delivered."""
    deliver_results(world.deliverer, JOB)
    event = world.queue.events()[-1]
    record = world.record()
    assert (record.stage, record.manifest_id) == (Stage.DELIVERED, event["id"])
    assert event["data"]["timing"]["registeredAt"] == record.registered_at.isoformat()
    return event


def test_an_incomplete_deletion_leaves_no_manifest_to_the_next_registration() -> None:
    world = registered(OLD)
    delivered(world)
    world.trap = Trap(2)  # after the record, before the outbox
    with pytest.raises(Killed):
        forget_job(world.manager, JOB)
    assert world.trap.calls == ["worklist.put", "jobs.delete", "manifests.every"]
    world.trap = Trap()
    register(world, NEW, expectedInputName="other.parquet")
    data = delivered(world)["data"]
    assert data["labels"] == NEW
    failed = [c["name"] for c in data["checks"]["notPassed"] if c["verdict"] == "failed"]
    assert failed == ["input_as_registered"]


def test_a_manifest_of_an_older_delivery_is_not_sent_for_the_next_registration() -> None:
    world = registered(OLD)

    def audit_and_register(*args: Any, **options: Any) -> AuditResult:  # noqa: ANN401 - of an audit
        world.audit = audit_in_process
        report = audit_in_process(*args, **options)
        forget_job(world.manager, JOB)
        register(world, NEW)
        return report

    world.audit = audit_and_register
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.SETTLED
    assert delivered(world)["data"]["labels"] == NEW


def test_listeners_that_drop_known_ids_take_the_manifest_of_a_new_registration() -> None:
    world = registered(OLD)
    first = delivered(world)
    forget_job(world.manager, JOB)
    register(world, NEW)
    second = delivered(world)
    assert second["data"]["labels"] == NEW
    assert second["data"]["output"]["etag"] == first["data"]["output"]["etag"]
    assert second["id"] != first["id"]
