"""An audit that never ends well is given up, and the listeners are told."""

from typing import Any

import pytest

from gem_core.audit.audit import audit
from gem_core.audit.report import Report
from gem_core.audit.source import Source
from gem_core.errors import OutputUnreachable, StoreError
from gem_core.flows.audit_output import BEGUN_WITH_INPUT, MAX_BEGUN
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


def dies_of_input(*args: Any, input_source: Source | None, **options: Any) -> Report:  # noqa: ANN401 - as an audit takes it
    """What pyarrow does about some spoilt files (decision 45)."""
    if input_source:
        raise Killed
    return audit(*args, input_source=input_source, **options)


def test_an_input_that_ends_the_process_each_time_is_left_out() -> None:
    """It never fails a good output; and a redelivery tries anew, with a mended input perhaps."""
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.files.write("roads.parquet", matched_file())
    world.settle(finished())
    world.audit = dies_of_input
    for _ in range(BEGUN_WITH_INPUT):
        with pytest.raises(Killed):
            deliver_results(world.deliverer, JOB)
    first = delivered(world)
    assert first["data"]["outcome"] == Outcome.VALID
    assert first["data"]["input"]["note"] == "the audits that read the input never ended"
    world.queue.sent.clear()
    world.audit = audit
    redeliver_job(world.desk, JOB)
    second = delivered(world)
    assert second["data"]["input"]["idsCompared"]
    assert second["id"] != first["id"]


def test_a_repeat_of_it_does_not_begin_with_the_input_again() -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.files.write("roads.parquet", matched_file())
    world.settle(finished())
    world.audit = dies_of_input
    for _ in range(BEGUN_WITH_INPUT):
        with pytest.raises(Killed):
            deliver_results(world.deliverer, JOB)
    real = world.queue.send

    def refuse(body: str) -> None:
        real(body)
        raise StoreError("queue: ServiceResponseError")

    world.queue.send = refuse  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        deliver_results(world.deliverer, JOB)
    world.queue.send = real  # type: ignore[method-assign]
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second


def test_without_an_input_nothing_is_left_out() -> None:
    """Audits that end the process for another reason are whole once they end."""
    world = World(input_audit=False)
    world.files.write(OUTPUT, matched_file())
    world.settle(finished())
    first = dies_at_first(world)
    world.queue.sent.clear()
    redeliver_job(world.desk, JOB)
    assert delivered(world) == first


def dies_at_first(world: World) -> dict[str, Any]:
    """The event after more deaths than an input is given."""

    def die(*_: object, **__: object) -> Report:
        raise Killed

    world.audit = die
    for _ in range(BEGUN_WITH_INPUT):
        with pytest.raises(Killed):
            deliver_results(world.deliverer, JOB)
    world.audit = audit
    return delivered(world)
