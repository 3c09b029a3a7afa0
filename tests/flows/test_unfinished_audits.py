"""An output whose audits never end is `not_audited`. If the input is the reason, it is skipped."""

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.result import AuditResult
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.errors import (
    AuditStopped,
    AuditUnfinished,
    MachineUnfit,
    OutputRefused,
    OutputUnreachable,
    StoreError,
)
from gem_core.flows.audit_output import BEGUN_WITH_INPUT, MAX_BEGUN
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.manage_jobs import redeliver_job
from gem_core.outcome import Outcome
from gem_core.watch.attempts import FIRST_WAIT
from tests.audit.child.not_opened import not_opened_in_process
from tests.builders import JOB, OUTPUT, job, logged, matched_file
from tests.flows.build import delivered, settled, with_input
from tests.flows.unfinished import deaths, die, failing, lose_the_answer, postponed, redelivered


def test_an_output_whose_audits_never_end_is_not_audited() -> None:
    world = settled()
    world.audit = die
    deaths(world, MAX_BEGUN)
    event = delivered(world)
    assert event["data"]["outcome"] == Outcome.NOT_AUDITED
    failed = [c for c in event["data"]["checks"]["notPassed"] if c["verdict"] == "failed"]
    assert [(c["name"], c["detail"]) for c in failed] == [
        ("auditable", "10 audits of it began, and none ended")
    ]
    world.audit = audit_in_process
    assert redelivered(world)["data"]["outcome"] == Outcome.VALID


def test_a_repeat_of_not_audited_starts_no_further_audit() -> None:
    world = settled()
    world.audit = die
    deaths(world, MAX_BEGUN)
    lose_the_answer(world)
    world.audit = audit_in_process  # a listener has the message, so the repeat must be the same one
    world.wait()
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second


def test_a_death_before_the_manifest_is_not_followed_by_ten_more_audits() -> None:
    world = settled()
    world.audit = die
    deaths(world, MAX_BEGUN)
    keep = world.manifests.create
    world.manifests.create = Mock(side_effect=StoreError("gem-outbox"))  # type: ignore[method-assign]
    assert deliver_results(world.deliverer, JOB) is None
    world.manifests.create = keep  # type: ignore[method-assign]
    assert delivered(world)["data"]["outcome"] == Outcome.NOT_AUDITED


@pytest.mark.parametrize("times", [BEGUN_WITH_INPUT, MAX_BEGUN])
def test_a_redelivery_after_the_cause_is_corrected_has_a_full_audit(times: int) -> None:
    """Also before a manifest was sent."""
    world = with_input()
    world.audit = die
    deaths(world, times)
    world.audit = audit_in_process
    event = redelivered(world)
    assert event["data"]["input"]["idsCompared"]
    assert event["data"]["outcome"] == Outcome.INVALID  # roads are missing


def test_another_output_whose_audits_never_end_has_a_manifest_of_its_own() -> None:
    def fail(*_: object, **__: object) -> AuditResult:
        raise ValueError("unexpected")

    def give_up() -> dict[str, Any]:
        world.queue.sent.clear()
        for _ in range(MAX_BEGUN):
            with pytest.raises(ValueError, match="unexpected"):
                deliver_results(world.deliverer, JOB)
        return delivered(world)

    world = settled()
    world.audit = fail
    first = world.record().job
    etags = [world.files.open(None, OUTPUT).etag]
    events = [give_up()]
    redeliver_job(world.manager, JOB)
    etags.append(world.files.write(OUTPUT, matched_file(matched=20)))
    events.append(give_up())
    assert world.record().job == first
    assert [event["data"]["output"]["etag"] for event in events] == etags
    assert events[0]["id"] != events[1]["id"]


def test_an_output_whose_audits_always_raise_is_not_audited() -> None:
    """A bug in the app about one file must not delay its manifest for ever."""
    world = settled()

    def fail(*_: object, **__: object) -> AuditResult:
        raise ValueError("unexpected")

    world.audit = fail
    for _ in range(MAX_BEGUN):
        with pytest.raises(ValueError, match="unexpected"):
            deliver_results(world.deliverer, JOB)
    assert delivered(world)["data"]["outcome"] == Outcome.NOT_AUDITED


@pytest.mark.parametrize("error", [OutputUnreachable("slow"), MachineUnfit("ill"), AuditStopped()])
def test_an_audit_that_says_nothing_about_the_file_is_postponed_and_not_counted(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world = settled()
    world.audit = failing(error)
    for times in range(1, MAX_BEGUN + 2):
        postponed(world, times)
    assert world.record().attempts.begun == 0
    assert world.queue.sent == []
    assert {line["reason"] for line in logged(caplog, "delivery_postponed")} == {str(error)}
    world.audit = audit_in_process
    assert delivered(world)["data"]["outcome"] == Outcome.VALID


def test_an_audit_that_hangs_or_is_killed_is_postponed_and_counted() -> None:
    world = settled()
    world.audit = failing(AuditUnfinished("it did not end in time"))
    for times in range(1, MAX_BEGUN + 1):
        postponed(world, times)
        assert world.record().attempts.begun == times
    event = delivered(world)
    assert event["data"]["outcome"] == Outcome.NOT_AUDITED
    (failed,) = (c for c in event["data"]["checks"]["notPassed"] if c["verdict"] == "failed")
    assert failed["detail"] == (
        "10 audits of it began, and none ended; the last one: it did not end in time"
    )


def test_a_report_that_cannot_be_made_is_postponed() -> None:
    world = settled()
    world.files.errors[OUTPUT] = OutputRefused("<no name>")
    unfit = Mock(side_effect=MachineUnfit("ill"))
    assert deliver_results(replace(world.deliverer, report_not_opened=unfit), JOB) is None
    assert world.record().due_at == world.clock() + FIRST_WAIT
    assert delivered(world)["data"]["outcome"] == Outcome.INVALID


def test_an_output_that_ends_its_reader_is_not_audited_and_audited_again() -> None:
    """The engine found that the file is the cause; another machine may read it."""
    world = settled()
    result = not_opened_in_process(job(), NotOpened(Obstacle.ENDED_EARLY, "it crashed"), None)
    world.audit = Mock(return_value=result)
    first = delivered(world)
    assert first["data"]["outcome"] == Outcome.NOT_AUDITED
    world.clock.move(minutes=1)
    assert redelivered(world)["id"] != first["id"]
    world.audit = audit_in_process
    assert redelivered(world)["data"]["outcome"] == Outcome.VALID
