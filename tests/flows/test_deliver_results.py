"""Each outcome leads to one manifest; repeats send the same one; what changes is audited anew."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from gem_core.audit.audit import audit
from gem_core.audit.report import Report
from gem_core.deliver.manifest import Manifest
from gem_core.errors import OutputRefused, OutputUnreachable, RecordConflict, StoreError
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import (
    LOOK_AGAIN,
    MAX_AUDITS,
    MAX_BEGUN,
    deliver_results,
    output_name,
)
from gem_core.flows.manage_jobs import forget_job, redeliver_job, register_job
from gem_core.outcome import Outcome
from gem_core.watch.record import Settlement, Stage
from tests.builders import (
    JOB,
    OUTPUT,
    World,
    answer,
    check_manifest,
    finished,
    job,
    logged,
    matched_file,
    page_answer,
)
from tests.fakes import START, Killed


def settled(given: dict[str, Any] | None = None, *, output: bytes | None = None) -> World:
    """A world where a job has just settled; its output is there, and right."""
    world = World()
    world.files.write(OUTPUT, matched_file() if output is None else output)
    world.settle(given or finished())
    return world


def delivered(world: World) -> dict[str, Any]:
    """The event that one ticket leads to, after the invariants of every delivery."""
    manifest = deliver_results(world.deliverer, JOB)
    assert manifest
    assert world.queue.sent == [manifest.body]
    event = check_manifest(manifest.body)
    assert event["id"] == manifest.id
    assert event["data"]["outcome"] == manifest.outcome
    record = world.record()
    assert record.stage is Stage.REPORTED
    assert (record.outcome, record.manifest_id) == (manifest.outcome, manifest.id)
    assert record.reported_at == world.clock()
    assert not world.marked()
    held = world.reports.get(f"{JOB}/{manifest.id}/report.json")
    assert held
    report = json.loads(held.body)
    assert event["data"]["report"]["url"] == world.reports.url(held.name)
    assert report["id"] == manifest.id
    assert len(report["data"]["checks"]["all"]) >= len(event["data"]["checks"]["notPassed"])
    return event


def test_a_right_output_is_valid() -> None:
    world = settled()
    event = delivered(world)
    data = event["data"]
    assert data["outcome"] == "valid"
    assert event["subject"] == f"default/{OUTPUT}"
    assert data["output"]["etag"] == "E1"
    assert data["output"]["rows"] == 40
    assert data["match"]["rowsMatched"] == 30
    assert data["statistics"]["gem"]["roads_matched"] == "75%"
    assert data["output"]["rewrittenSinceModifiedAt"] is False


def test_a_wrong_figure_is_a_warning_or_an_error_by_how_far_it_is_off() -> None:
    near = finished()
    near["statistics"] = near["statistics"] | {"roads_matched": "75.5%", "roads_unmatched": "24.5%"}
    assert delivered(settled(near))["data"]["outcome"] == "valid_with_warnings"
    far = finished()
    far["statistics"] = far["statistics"] | {"roads_matched": "95%"}
    assert delivered(settled(far))["data"]["outcome"] == "invalid"


@pytest.mark.parametrize("body", [b"", b"id,gers_id\n1,2\n", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_an_output_that_is_no_parquet_is_invalid(body: bytes) -> None:
    data = delivered(settled(output=body))["data"]
    assert data["outcome"] == "invalid"
    assert data["checks"]["counts"]["failedError"] >= 1
    assert data["output"]["bytes"] == len(body)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_job_without_an_output_is_told_too(status: str) -> None:
    world = settled(answer(status))
    event = delivered(world)
    assert event["data"]["outcome"] == status
    assert event["data"]["output"] is None
    assert "subject" not in event
    assert world.files.opened == []


@pytest.mark.parametrize("reason", ["lost", "expired"])
def test_a_job_that_gem_never_ended_is_told_too(reason: str) -> None:
    world = World()
    world.add(JOB)
    stored = world.registry.get(JOB)
    assert stored
    world.registry.replace(stored, stored.record.settled(Settlement(reason), START))
    event = delivered(world)
    assert event["data"]["outcome"] == reason
    assert event["data"]["job"] is None


def test_labels_come_back() -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished()]
    register_job(world.desk, JOB, {"labels": {"team": "Straßen"}})
    check_jobs(world.checker)
    assert delivered(world)["data"]["labels"] == {"team": "Straßen"}


def test_the_input_is_read_when_it_can_be() -> None:
    world = settled()
    world.files.write("roads.parquet", matched_file())
    event = delivered(world)
    assert event["data"]["input"]["columnsCompared"] is True
    assert ("storage-001", "roads.parquet") in world.files.opened


@pytest.mark.parametrize(
    ("input_audit", "error", "note"),
    [
        (False, None, "GEM_INPUT_AUDIT"),
        (True, OutputUnreachable("refused"), "cannot be read: refused"),
        (True, OutputRefused("no name"), "cannot be read: no name"),
    ],
)
def test_an_input_that_is_not_read_fails_no_output(
    *, input_audit: bool, error: OutputUnreachable | None, note: str
) -> None:
    world = settled()
    world.input_audit = input_audit
    if error:
        world.files.errors["roads.parquet"] = error
    data = delivered(world)["data"]
    assert data["outcome"] == "valid"
    assert note in data["input"]["note"]


def test_a_job_that_names_no_input_is_audited_by_its_output() -> None:
    world = settled(finished(inputFileName=None))
    assert "names no input" in delivered(world)["data"]["input"]["note"]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"outputFileName": "a_matched.parquet"}, "a_matched.parquet"),
        ({"outputFileName": "other.parquet", "inputFileName": "a.parquet"}, "other.parquet"),
        ({"inputFileName": "a.parquet"}, "a_matched.parquet"),
        ({"inputFileName": "a.parquet.parquet"}, "a.parquet_matched.parquet"),
        ({"inputFileName": "a"}, "a_matched.parquet"),
    ],
)
def test_the_output_is_the_file_that_gem_names(told: dict[str, str], name: str) -> None:
    assert output_name(job("finished", **told)) == name


def test_the_pages_own_answer_names_its_output() -> None:
    world = World()
    world.settle(page_answer("finished"))
    deliver_results(world.deliverer, JOB)
    assert world.files.opened == [("storage-001", "your_data_matched.parquet")]


def test_names_that_cannot_be_any_are_invalid_and_not_asked_for() -> None:
    world = settled(finished(outputFileName="../secret"))
    world.files.errors["../secret"] = OutputRefused("more than a plain file name")
    data = delivered(world)["data"]
    assert data["outcome"] == "invalid"
    assert data["output"] is None


def test_a_job_that_names_no_file_at_all_is_a_missing_output() -> None:
    world = settled(finished(outputFileName=None, inputFileName=None))
    world.clock.move(world.output_grace)
    assert delivered(world)["data"]["outcome"] == "output_missing"


def test_an_output_that_is_not_there_yet_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.settle(finished())
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []
    record = world.record()
    assert record.stage is Stage.SETTLED
    assert record.due_at == START + LOOK_AGAIN
    assert world.marked()
    assert logged(caplog, "delivery_postponed")
    world.files.write(OUTPUT, matched_file())
    world.clock.move(LOOK_AGAIN)
    world.new_tickets()
    check_jobs(world.checker)
    assert world.new_tickets() == [JOB]
    assert delivered(world)["data"]["outcome"] == "valid"


def test_an_output_that_never_comes_is_missing_after_the_grace_time() -> None:
    world = World()
    world.settle(finished())
    looks = 0
    while not world.queue.sent:
        assert world.clock() <= START + world.output_grace + LOOK_AGAIN
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


def test_the_last_look_is_at_the_end_of_the_grace_time() -> None:
    world = World(output_grace=timedelta(minutes=3))
    world.settle(finished())
    world.clock.move(minutes=2)
    deliver_results(world.deliverer, JOB)
    assert world.record().due_at == START + timedelta(minutes=3)


def test_an_output_that_came_after_it_was_missed_can_be_delivered() -> None:
    world = World(output_grace=timedelta(0))
    world.settle(finished())
    missed = delivered(world)
    world.queue.sent.clear()
    world.files.write(OUTPUT, matched_file())
    redeliver_job(world.desk, JOB)
    event = delivered(world)
    assert event["data"]["outcome"] == "valid"
    assert event["id"] != missed["id"]


def test_a_conflict_while_waiting_is_left_to_the_other(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.settle(finished())

    def other() -> None:
        if world.trap.calls[-1] == "jobs.get":
            held = world.jobs.get(f"{JOB}.json")
            assert held
            world.jobs.put(held.name, held.body)

    world.trap.check = other
    assert deliver_results(world.deliverer, JOB) is None
    assert logged(caplog, "record_conflict")
    assert world.record().stage is Stage.SETTLED


def test_an_output_that_cannot_be_read_is_tried_again() -> None:
    world = settled()
    world.files.errors[OUTPUT] = OutputUnreachable("storage answered 503")
    with pytest.raises(OutputUnreachable):
        deliver_results(world.deliverer, JOB)
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


def test_an_output_that_changed_once_is_audited_as_what_it_became() -> None:
    world = settled(output=matched_file(matched=10))
    changes = [matched_file()]
    world.files.on_read = lambda name: changes and world.files.write(name, changes.pop())
    data = delivered(world)["data"]
    assert data["outcome"] == "valid"
    assert data["output"]["etag"] == "E2"
    assert data["match"]["rowsMatched"] == 30


def test_an_output_that_held_still_later_is_audited_as_what_it_is_then() -> None:
    world = settled()
    world.files.on_read = lambda name: world.files.write(name, matched_file())
    first = delivered(world)
    world.files.on_read = lambda _: None
    world.queue.sent.clear()
    redeliver_job(world.desk, JOB)
    second = delivered(world)
    assert second["data"]["outcome"] == "valid"
    assert second["id"] != first["id"]


def test_an_output_that_was_deleted_while_read_is_waited_for() -> None:
    world = settled()
    world.files.on_read = lambda name: world.files.held.pop(name, None)
    assert deliver_results(world.deliverer, JOB) is None
    assert world.record().stage is Stage.SETTLED


def test_the_same_ticket_twice_sends_once(caplog: pytest.LogCaptureFixture) -> None:
    world = settled()
    delivered(world)
    assert deliver_results(world.deliverer, JOB) is None
    assert len(world.queue.sent) == 1
    (line,) = logged(caplog, "delivery_skipped")
    assert line["stage"] == "reported"


@pytest.mark.parametrize("known", [True, False])
def test_a_ticket_of_a_job_that_is_not_settled_does_nothing(*, known: bool) -> None:
    world = World()
    if known:
        world.add(JOB)
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []


def test_two_tickets_at_once_send_the_same_bytes() -> None:
    world = settled()
    together = Barrier(2, timeout=20)  # broken unless both are reading the output
    world.files.on_read = lambda _: together.wait()

    def deliver() -> Manifest | None:
        return deliver_results(world.deliverer, JOB)

    with ThreadPoolExecutor(2) as pool:
        given = [future.result() for future in [pool.submit(deliver) for _ in range(2)]]
    assert given[0]
    assert given[0] == given[1]
    assert len(world.queue.sent) == 2
    assert len(set(world.queue.sent)) == 1
    assert world.record().stage is Stage.REPORTED
    assert not world.marked()


def test_a_repeat_after_a_lost_answer_of_the_queue_sends_the_same_bytes() -> None:
    world = settled()
    real = world.queue.send

    def lose(body: str) -> None:
        real(body)
        raise StoreError("queue: ServiceResponseError")

    world.queue.send = lose  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.SETTLED
    world.queue.send = real  # type: ignore[method-assign]
    world.clock.move(hours=1)
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second
    opened = [name for _, name in world.files.opened]
    assert opened.count("roads.parquet") == 1  # it was audited once


def test_an_output_overwritten_between_audit_and_repeat_is_audited_as_what_it_is() -> None:
    world = settled()
    send = world.queue.send

    def refuse(body: str) -> None:  # noqa: ARG001 - the name is part of the call
        raise StoreError("queue: refused")

    world.queue.send = refuse  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        deliver_results(world.deliverer, JOB)
    world.queue.send = send  # type: ignore[method-assign]
    world.files.write(OUTPUT, matched_file(matched=20))
    data = delivered(world)["data"]
    assert data["output"]["etag"] == "E2"
    assert data["match"]["rowsMatched"] == 20
    assert len(world.manifests.names()) == 2


def test_a_record_that_changed_meanwhile_is_marked_all_the_same() -> None:
    world = settled()
    real = world.queue.send

    def send(body: str) -> None:
        real(body)
        stored = world.registry.get(JOB)
        assert stored
        world.registry.replace(stored, stored.record.ticketed())

    world.queue.send = send  # type: ignore[method-assign]
    delivered(world)
    assert world.record().tickets == 2


def test_a_job_forgotten_while_it_is_delivered_does_not_come_back() -> None:
    world = settled()
    real = world.queue.send

    def send(body: str) -> None:
        real(body)
        forget_job(world.desk, JOB)

    world.queue.send = send  # type: ignore[method-assign]
    assert deliver_results(world.deliverer, JOB)
    assert world.jobs.names() == world.manifests.names() == []


def test_a_redelivery_asked_for_while_an_older_delivery_ends_is_still_owed() -> None:
    """The older one has sent what the output was; the operator asked for what it is now."""
    world = settled()
    deliver_results(world.deliverer, JOB)
    redeliver_job(world.desk, JOB)
    world.queue.sent.clear()
    real = world.queue.send

    def send(body: str) -> None:
        real(body)
        world.clock.move(seconds=1)
        world.files.write(OUTPUT, matched_file(matched=20))
        redeliver_job(world.desk, JOB)

    world.queue.send = send  # type: ignore[method-assign]
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.SETTLED
    world.queue.send = real  # type: ignore[method-assign]
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.REPORTED
    assert [event["data"]["output"]["etag"] for event in world.queue.events()] == ["E1", "E2"]


def test_a_job_registered_anew_while_an_older_delivery_ends_is_still_owed() -> None:
    world = settled()
    real = world.queue.send

    def send(body: str) -> None:
        real(body)
        forget_job(world.desk, JOB)
        world.clock.move(seconds=1)
        world.settle(finished())

    world.queue.send = send  # type: ignore[method-assign]
    deliver_results(world.deliverer, JOB)
    assert world.record().stage is Stage.SETTLED
    assert world.marked()


def test_a_storage_that_refuses_the_mark_leaves_the_job_to_the_sweep() -> None:
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


@pytest.mark.parametrize(
    ("modified_at", "rewritten"),
    [
        ("2026-01-20T10:00:00Z", False),
        ("2026-01-20T09:59:00Z", False),
        ("2026-01-20T09:58:59Z", True),
        (None, None),
        ("9999-12-31T23:59:59Z", False),
    ],
)
def test_a_file_written_after_the_jobs_end_is_told(
    modified_at: str | None, *, rewritten: bool | None
) -> None:
    world = settled(finished(modifiedAt=modified_at))
    assert delivered(world)["data"]["output"]["rewrittenSinceModifiedAt"] is rewritten


@pytest.mark.parametrize("text", ['"\\ud800"', "1e400"])
def test_whatever_gem_adds_the_job_is_delivered(text: str) -> None:
    world = World()
    world.files.write(OUTPUT, matched_file())
    world.gem.answers[JOB] = [finished(extra=json.loads(text))]
    world.add(JOB)
    check_jobs(world.checker)
    assert delivered(world)["data"]["outcome"] == Outcome.VALID


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
