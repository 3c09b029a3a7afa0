"""Repeats send the same manifest, and two deliveries of one job do no harm."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, get_ident
from unittest.mock import Mock

import pytest

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.errors import RecordConflict, StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import forget_job, redeliver_job
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, answer, finished, logged, matched_file
from tests.flows.build import delivered, settled


def test_the_same_ticket_twice_sends_once(caplog: pytest.LogCaptureFixture) -> None:
    world = settled()
    delivered(world)
    assert deliver_results(world.deliverer, JOB) is None
    assert len(world.queue.sent) == 1
    (line,) = logged(caplog, "delivery_skipped")
    assert line["stage"] == "delivered"


def test_a_redelivery_of_an_output_that_is_as_it_was_sends_the_same_bytes_without_an_audit() -> (
    None
):
    world = settled()
    delivered(world)
    redeliver_job(world.manager, JOB)
    world.audit = Mock(side_effect=AssertionError)
    deliver_results(world.deliverer, JOB)
    assert world.queue.sent[0] == world.queue.sent[1]


@pytest.mark.parametrize("known", [True, False])
def test_a_ticket_of_a_job_that_is_not_settled_does_nothing(*, known: bool) -> None:
    world = World()
    if known:
        world.add(JOB)
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []


def test_two_tickets_at_the_same_time_send_the_same_bytes() -> None:
    world = settled()
    together = Barrier(2, timeout=60)  # fails unless both read the output at the same time
    waited: set[int] = set()

    def meet(_: object) -> None:
        if (me := get_ident()) not in waited:
            waited.add(me)
            together.wait()

    world.files.on_read = meet

    def deliver() -> CloudEvent | None:
        return deliver_results(world.deliverer, JOB)

    with ThreadPoolExecutor(2) as pool:
        sent = [future.result() for future in [pool.submit(deliver) for _ in range(2)]]
    assert sent[0]
    assert sent[0] == sent[1]
    assert len(world.queue.sent) == 2
    assert len(set(world.queue.sent)) == 1
    assert world.record().stage is Stage.DELIVERED
    assert not world.marked()


def test_a_repeat_after_a_lost_answer_of_the_queue_sends_the_same_bytes() -> None:
    world = settled()
    world.queue.loses = StoreError("queue: ServiceResponseError")
    assert deliver_results(world.deliverer, JOB) is None
    assert world.record().stage is Stage.SETTLED
    world.queue.loses = None
    world.clock.move(hours=1)
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second
    opened = [name for _, name in world.files.opened]
    assert opened.count("roads.parquet") == 1  # it was audited once


@pytest.mark.parametrize("status", ["failed", "finished"])
def test_a_repeat_keeps_the_report_of_its_manifest(status: str) -> None:
    world = World(output_grace=timedelta(0))
    world.settle(answer(status))
    world.queue.loses = StoreError("queue: ServiceResponseError")
    assert deliver_results(world.deliverer, JOB) is None
    world.queue.loses = None
    world.clock.move(hours=1)
    sent = deliver_results(world.deliverer, JOB)
    assert sent
    assert world.queue.sent == [sent.body, sent.body]
    report = json.loads(world.outbox.report(JOB, sent.id) or b"")
    assert report["time"] == json.loads(sent.body)["time"]


def test_an_output_overwritten_before_the_repeat_is_audited_again() -> None:
    world = settled()
    world.queue.refuses = StoreError("queue: refused")
    assert deliver_results(world.deliverer, JOB) is None
    world.queue.refuses = None
    world.files.write(OUTPUT, matched_file(matched=20))
    data = delivered(world)["data"]
    assert data["output"]["etag"] == "E2"
    assert data["match"]["matches"] == 20
    assert len(world.stored_manifests()) == 2


def test_a_record_that_changed_during_the_delivery_is_still_marked() -> None:
    world = settled()

    def raise_ticket() -> None:
        stored = world.registry.get(JOB)
        assert stored
        world.registry.replace(stored, stored.record.ticket_raised())

    world.queue.on_sent = raise_ticket
    delivered(world)
    assert world.record().tickets == 2


def test_a_job_forgotten_during_its_delivery_is_not_stored_again() -> None:
    world = settled()
    world.queue.on_sent = lambda: forget_job(world.manager, JOB)
    assert deliver_results(world.deliverer, JOB)
    assert world.jobs.names() == world.stored_manifests() == []


def test_a_redelivery_requested_during_an_older_delivery_is_still_due() -> None:
    """The older delivery sent the earlier output; the operator requested the present one."""
    world = settled()
    deliver_results(world.deliverer, JOB)
    redeliver_job(world.manager, JOB)
    world.queue.sent.clear()

    def redeliver() -> None:
        world.clock.move(seconds=1)
        world.files.write(OUTPUT, matched_file(matched=20))
        redeliver_job(world.manager, JOB)

    world.queue.on_sent = redeliver
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.SETTLED
    world.queue.on_sent = lambda: None
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.DELIVERED
    assert [event["data"]["output"]["etag"] for event in world.queue.events()] == ["E1", "E2"]


def test_a_job_registered_again_during_an_older_delivery_is_still_due() -> None:
    world = settled()

    def register_again() -> None:
        forget_job(world.manager, JOB)
        world.clock.move(seconds=1)
        world.settle(finished())

    world.queue.on_sent = register_again
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.SETTLED
    assert world.marked()


def test_a_job_that_could_not_be_marked_is_left_to_the_sweep() -> None:
    world = settled()

    def refuse() -> None:
        if world.trap.calls[-1] == "queue.send":
            world.trap.check = fail

    def fail() -> None:
        raise StoreError("container 'gem-jobs': storage answered 503")

    world.trap.check = refuse
    with pytest.raises(StoreError) as caught:
        deliver_results(world.deliverer, JOB)
    assert not isinstance(caught.value, RecordConflict)
    world.trap.check = lambda: None
    assert len(world.queue.sent) == 1
