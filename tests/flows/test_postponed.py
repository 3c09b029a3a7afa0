"""A delivery that fails for a reason that may pass is tried again by the app itself."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from unittest.mock import Mock

import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.errors import (
    MachineUnfit,
    OutputUnreachable,
    RecordUnreadable,
    StoreError,
    StoreMissing,
    StoreRefused,
)
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.deliver_results import SECONDS_BEFORE_RAISING, deliver_results
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.outcome import Outcome
from gem_core.watch.attempts import FIRST_WAIT, LONGEST_WAIT, TROUBLE_AFTER, Attempts
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, finished, logged, matched_file
from tests.fakes import START
from tests.flows.build import AWAY, delivered, overtaken, settled


def minute(world: World) -> bool:
    """A minute later: a tick, and the delivery of the ticket that it raised, if any."""
    world.clock.move(minutes=1)
    assert world.clock() < START + timedelta(hours=5), "it does not end"
    check_jobs(world.checker)
    tickets = world.new_tickets()
    for job_run_id in tickets:
        deliver_results(world.deliverer, job_run_id)
    return bool(tickets)


@pytest.mark.parametrize(
    "error", [AWAY, StoreMissing("no queue"), StoreRefused("403")], ids=lambda e: type(e).__name__
)
def test_a_results_queue_that_is_away_postpones(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world = settled()
    world.queue.refuses = error
    assert deliver_results(world.deliverer, JOB) is None
    world.new_tickets()
    record = world.record()
    assert (record.stage, record.due_at) == (Stage.SETTLED, START + FIRST_WAIT)
    assert world.marked()
    (line,) = logged(caplog, "delivery_postponed")
    assert (line["reason"], line["times"], line["level"]) == (str(error), 1, "WARNING")
    assert world.slept == []
    world.queue.refuses = None
    assert minute(world)
    assert len(world.queue.sent) == 1
    assert world.record().stage is Stage.DELIVERED
    assert [name for _, name in world.files.opened].count(OUTPUT) == 2  # to see its ETag


def test_a_late_or_repeated_event_of_a_postponed_delivery_does_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = settled()
    world.queue.refuses = AWAY
    for _ in range(5):
        assert deliver_results(world.deliverer, JOB) is None
    assert len(logged(caplog, "delivery_postponed")) == 1
    skipped = logged(caplog, "delivery_skipped")
    assert {(line["stage"], line["reason"]) for line in skipped} == {
        ("settled", "its next try is not due yet")  # so the alert goes on waiting for it
    }
    assert world.record().due_at == START + FIRST_WAIT
    world.new_tickets()
    assert minute(world)


def test_a_person_need_not_wait_for_a_postponed_delivery() -> None:
    world = settled()
    world.queue.refuses = AWAY
    deliver_results(world.deliverer, JOB)
    world.queue.refuses = None
    redeliver_job(world.manager, JOB)
    assert delivered(world)["data"]["outcome"] == Outcome.VALID


def test_the_tick_raises_the_ticket_in_growing_waits_and_then_at_most_ten_minutes() -> None:
    world = settled()
    world.queue.refuses = AWAY
    deliver_results(world.deliverer, JOB)
    world.new_tickets()
    raised = [at for at in range(1, 60) if minute(world)]
    assert raised[:4] == [1, 2, 3, 5]
    gaps = [later - at for at, later in pairwise(raised)]
    assert max(gaps) == LONGEST_WAIT / timedelta(minutes=1)
    assert gaps == sorted(gaps)
    assert world.record().tickets == 0


@pytest.mark.parametrize("error", [OutputUnreachable("no answer"), MachineUnfit("ill"), AWAY])
def test_after_an_hour_it_is_in_trouble_and_told_with_its_reason(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world = settled()
    world.audit = Mock(side_effect=error)
    deliver_results(world.deliverer, JOB)
    world.new_tickets()
    while world.clock() - START <= TROUBLE_AFTER:
        assert find_trouble(world.manager) == []
        assert logged(caplog, "delivery_still_postponed") == []
        minute(world)
    before = len(logged(caplog, "delivery_postponed"))
    while not (lines := logged(caplog, "delivery_still_postponed")):
        minute(world)
    assert world.clock() - START - TROUBLE_AFTER <= LONGEST_WAIT + timedelta(minutes=1)
    assert (lines[0]["level"], lines[0]["reason"]) == ("ERROR", str(error))
    assert lines[0]["since"] == START.isoformat()
    assert len(logged(caplog, "delivery_postponed")) == before == lines[0]["times"] - 1
    (found,) = find_trouble(world.manager)
    assert (found["trouble"], found["since"]) == ("postponed", START.isoformat())
    assert str(error) in found["problem"]
    world.audit = audit_in_process
    while not world.queue.sent:
        minute(world)
    assert find_trouble(world.manager) == []
    assert world.record().attempts == Attempts()


def test_an_output_that_is_waited_for_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    """The operator chose the time; it ends in any case."""
    world = World(output_grace=timedelta(hours=3))
    world.settle(finished())
    while not world.queue.sent:
        assert find_trouble(world.manager) == []
        minute(world)
    assert logged(caplog, "delivery_still_postponed") == []
    assert world.queue.events()[0]["data"]["outcome"] == "output_missing"


def test_the_wait_of_the_sweep_begins_anew() -> None:
    world = settled()
    stored = world.registry.get(JOB)
    assert stored
    world.registry.replace(stored, replace(stored.record, tickets=5))
    world.queue.refuses = AWAY
    deliver_results(world.deliverer, JOB)
    world.new_tickets()
    world.clock.move(minutes=1)
    check_jobs(world.checker)  # the event of this ticket is lost
    assert world.record().tickets == 1
    assert world.record().due_at == world.clock() + world.policy.repeat_ticket_after


@pytest.mark.parametrize("call", ["jobs.get", "jobs.replace"])
def test_what_cannot_be_stored_is_raised_after_a_wait(call: str) -> None:
    """The host tries again at once, five times; so each try must last."""
    world = settled()
    real = world.jobs

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("container 'gem-jobs': storage answered 503")

    setattr(real, call.partition(".")[2], refuse)
    with pytest.raises(StoreError, match="503"):
        deliver_results(world.deliverer, JOB)
    assert world.slept == [SECONDS_BEFORE_RAISING]


def test_what_a_newer_version_wrote_is_raised_at_once() -> None:
    world = settled()
    world.jobs.put(f"{JOB}.json", b'{"schemaVersion": 2}')
    with pytest.raises(RecordUnreadable):
        deliver_results(world.deliverer, JOB)
    assert world.slept == []


def test_a_mistake_of_ours_is_raised_and_stays_counted() -> None:
    world = settled()
    world.audit = Mock(side_effect=ValueError("unexpected"))
    with pytest.raises(ValueError, match="unexpected"):
        deliver_results(world.deliverer, JOB)
    assert world.record().attempts.begun == 1
    assert world.record().attempts.postponement is None


def test_a_delivery_for_which_nobody_waits_any_more_ends(caplog: pytest.LogCaptureFixture) -> None:
    """Another delivery of the job was requested before this one began its audit."""
    world = settled()
    world.audit = Mock(side_effect=AssertionError("no audit"))
    world.clock.move(minutes=1)
    overtaken(world, lambda: redeliver_job(world.manager, JOB))
    assert deliver_results(world.deliverer, JOB) is None
    assert world.queue.sent == []
    line = logged(caplog, "delivery_skipped")[-1]
    assert (line["stage"], "requested again" in line["reason"]) == ("settled", True)
    world.audit = audit_in_process
    assert delivered(world)["data"]["outcome"] == Outcome.VALID


def test_an_output_that_is_replaced_while_its_delivery_is_postponed_is_audited_anew() -> None:
    world = settled()
    world.audit = Mock(side_effect=OutputUnreachable("slow"))
    deliver_results(world.deliverer, JOB)
    world.files.write(OUTPUT, matched_file(matched=20))
    world.audit = audit_in_process
    assert delivered(world)["data"]["match"]["matches"] == 20
