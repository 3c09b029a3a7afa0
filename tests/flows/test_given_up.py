"""An audit that never ends well is given up, and the listeners are told."""

from typing import Any

import pytest

from gem_core.audit.audit import audit
from gem_core.audit.report import Report
from gem_core.errors import OutputUnreachable
from gem_core.flows.audit_output import MAX_BEGUN
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.outcome import Outcome
from tests.builders import JOB, OUTPUT, World, finished, matched_file
from tests.fakes import Killed
from tests.flows.build import delivered


def test_an_audit_that_ends_the_process_each_time_is_given_up() -> None:
    """For want of memory, say: the listeners are told, and a redelivery tries anew."""

    def die(*_: object, **__: object) -> Report:
        raise Killed

    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    world.audit = die
    for _ in range(MAX_BEGUN):
        with pytest.raises(Killed):
            deliver_results(world.deliverer, JOB)
    event = delivered(world)
    world.audit = audit
    assert event["data"]["outcome"] == Outcome.INVALID
    failed = [c for c in event["data"]["checks"]["notPassed"] if c["verdict"] == "failed"]
    assert [(c["name"], c["detail"]) for c in failed] == [
        ("auditable", "10 audits of it began, and none ended")
    ]
    world.queue.sent.clear()
    redeliver_job(world.desk, JOB)
    assert delivered(world)["data"]["outcome"] == Outcome.VALID


def test_another_output_that_is_given_up_is_told_anew() -> None:
    def fail(*_: object, **__: object) -> Report:
        raise ValueError("nobody thought of that")

    def give_up() -> dict[str, Any]:
        world.queue.sent.clear()
        for _ in range(MAX_BEGUN):
            with pytest.raises(ValueError, match="nobody"):
                deliver_results(world.deliverer, JOB)
        return delivered(world)

    world = World()
    world.settle(finished())
    world.audit = fail
    first = world.files.write(OUTPUT, matched_file())
    events = [give_up()]
    redeliver_job(world.desk, JOB)
    second = world.files.write(OUTPUT, matched_file(matched=20))
    events.append(give_up())
    assert [event["data"]["output"]["etag"] for event in events] == [first, second]
    assert events[0]["id"] != events[1]["id"]


def test_an_audit_that_raises_each_time_is_given_up_as_well() -> None:
    """A mistake of ours about one file must not keep its manifest back for ever."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())

    def fail(*_: object, **__: object) -> Report:
        raise ValueError("nobody thought of that")

    world.audit = fail
    for _ in range(MAX_BEGUN):
        with pytest.raises(ValueError, match="nobody"):
            deliver_results(world.deliverer, JOB)
    assert delivered(world)["data"]["outcome"] == Outcome.INVALID


def test_an_audit_that_fails_without_dying_is_not_counted() -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())

    def refuse(*_: object, **__: object) -> Report:
        raise OutputUnreachable("refused")

    world.audit = refuse
    for _ in range(MAX_BEGUN + 1):
        with pytest.raises(OutputUnreachable):
            deliver_results(world.deliverer, JOB)
    world.audit = audit
    assert delivered(world)["data"]["outcome"] == Outcome.VALID
