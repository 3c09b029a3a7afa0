"""An input that ends every audit is left out, and the manifest says so."""

from dataclasses import replace
from typing import Any

from gem_core.audit.child.in_process import audit_in_process
from gem_core.audit.child.result import AuditResult
from gem_core.errors import OutputMissing, OutputUnreachable
from gem_core.flows.audit_output import BEGUN_WITH_INPUT
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.delivery import MAX_WAIT
from gem_core.outcome import Outcome
from tests.builders import JOB, matched_file
from tests.flows.build import INPUT, delivered, settled, with_input
from tests.flows.unfinished import (
    NEVER_ENDED,
    deaths,
    die,
    die_of_input,
    failing,
    hang_at_input,
    lose_the_answer,
    note_of,
    postponed,
    redelivered,
)


def test_an_input_at_which_audits_hang_is_left_out_in_the_end() -> None:
    """A good output is judged all the same; a redelivery reads the input again."""
    world = with_input(matched_file())
    world.audit = hang_at_input
    for times in range(1, BEGUN_WITH_INPUT + 1):
        postponed(world, times)
    first = delivered(world)
    assert (first["data"]["outcome"], note_of(first)) == (Outcome.VALID, NEVER_ENDED)
    world.audit = audit_in_process
    assert redelivered(world)["id"] != first["id"]


def test_an_audit_that_left_out_the_input_is_in_part() -> None:
    """The engine found that the input ends its reader. A redelivery reads it again."""
    world = with_input(matched_file())

    def without_input(*args: Any, **options: Any) -> AuditResult:  # noqa: ANN401 - the arguments of an audit
        reason = "audits that read the input gave no verdict"
        changed = {"input_source": None, "input_note": reason}
        return replace(audit_in_process(*args, **options | changed), input_left_out=reason)

    world.audit = without_input
    first = delivered(world)
    assert (first["data"]["outcome"], "no verdict" in note_of(first)) == (Outcome.VALID, True)
    world.audit = audit_in_process
    second = redelivered(world)
    assert second["data"]["input"]["idsCompared"]
    assert second["id"] != first["id"]


def test_an_input_whose_audits_never_end_is_skipped() -> None:
    """A good output stays valid. A redelivery reads the input again, which may be correct then."""
    world = with_input(matched_file())
    world.audit = die_of_input
    deaths(world, BEGUN_WITH_INPUT)
    first = delivered(world)
    assert (first["data"]["outcome"], note_of(first)) == (Outcome.VALID, NEVER_ENDED)
    world.audit = audit_in_process
    second = redelivered(world)
    assert second["data"]["input"]["idsCompared"]
    assert second["id"] != first["id"]


def test_a_repeat_skips_the_input_again() -> None:
    world = with_input(matched_file())
    world.audit = die_of_input
    deaths(world, BEGUN_WITH_INPUT)
    lose_the_answer(world)
    world.wait()
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.sent
    assert first == second


def test_a_storage_error_does_not_make_the_next_audit_read_the_input() -> None:
    world = with_input(matched_file())
    world.audit = die_of_input
    deaths(world, BEGUN_WITH_INPUT)
    world.audit = failing(OutputUnreachable("refused"))
    assert deliver_results(world.deliverer, JOB) is None
    world.audit = die_of_input
    assert note_of(delivered(world)) == NEVER_ENDED


def test_a_missing_input_is_not_reported_as_the_reason() -> None:
    world = settled()
    world.files.errors[INPUT] = OutputMissing("it is not there")
    world.audit = die
    deaths(world, BEGUN_WITH_INPUT)
    world.audit = audit_in_process
    first = delivered(world)
    assert "not there" in note_of(first)
    assert redelivered(world) == first


def test_without_an_input_nothing_is_skipped() -> None:
    """Audits during which the process died for another reason are complete once they end."""
    world = settled()
    world.input_audit = False
    world.audit = die
    deaths(world, BEGUN_WITH_INPUT)
    world.audit = audit_in_process
    first = delivered(world)
    assert redelivered(world) == first


def test_a_full_audit_of_another_delivery_wins() -> None:
    world = with_input()
    world.files.errors[INPUT] = OutputUnreachable("storage answered 503")
    deliver_results(world.deliverer, JOB)
    world.clock.move(MAX_WAIT)

    def slow(*args: Any, **options: Any) -> AuditResult:  # noqa: ANN401 - the arguments of an audit
        world.audit = audit_in_process
        world.files.errors.clear()
        deliver_results(world.deliverer, JOB)
        return audit_in_process(*args, **options)

    world.audit = slow
    deliver_results(world.deliverer, JOB)
    first, second = world.queue.events()
    assert first == second
    assert second["data"]["input"]["idsCompared"]
