"""A check runs with what it needs, or one reason says why it did not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.judging.check import ERROR, Missing, NotAsked, check
from gem_core.audit.judging.checks import CHECKS, COMPARISONS
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.judging.report import Report, judge
from gem_core.audit.judging.verdict import Judgement, Verdict, failed, not_asked, not_run
from gem_core.audit.parquet.opened_file import Fault, FaultKind
from tests.audit.build import audited, changed, matched_table


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return audited(tmp_path, matched_table(), with_values=True).facts


def judged(facts: Facts) -> Report:
    return judge(facts, bytes_read=0, requests=0)


def reasons(report: Report) -> dict[str, str]:
    return {
        line.name: line.judgement.detail
        for line in report.checks
        if line.verdict is Verdict.NOT_RUN and line.judgement.is_asked
    }


def one(_: Facts) -> int:
    return 1


def lacking(_: Facts) -> str:
    raise Missing("there is no second part")


def not_requested(_: Facts) -> str:
    raise NotAsked("--more asks for it")


def lacking_too(_: Facts) -> str:
    raise Missing("there is no third part")


def test_a_judge_gets_its_parts_in_order(facts: Facts) -> None:
    @check(ERROR, "One is one.", one, lambda facts: facts.name)
    def is_one(number: int, name: str | None) -> Judgement:
        return failed(f"{number} of {name}")

    assert is_one.name == "is_one"
    assert is_one.run(facts) == failed("1 of roads_matched.parquet")


def test_the_first_part_that_is_missing_is_the_reason(facts: Facts) -> None:
    @check(ERROR, "Never judged.", one, lacking, lacking_too)
    def never(_: int, __: str, ___: str) -> Judgement:
        raise AssertionError

    assert never.run(facts) == not_run("there is no second part")


def test_not_requested_differs_from_missing(facts: Facts) -> None:
    @check(ERROR, "Never judged.", not_requested, lacking)
    def never(_: str, __: str) -> Judgement:
        raise AssertionError

    assert never.run(facts) == not_asked("--more asks for it")


BEFORE_CONTENT = {"names_usable", "matched_parts_sum", "shares_sum", "statistics_readable"}
"""Checks that need nothing of the output itself."""


@pytest.mark.parametrize("obstacle", Obstacle)
def test_an_output_that_was_not_opened_has_one_reason(facts: Facts, obstacle: Obstacle) -> None:
    name = None if obstacle is Obstacle.NAMES else facts.name
    unread = replace(facts, file=NotOpened(obstacle, "why"), name=name, input=InputFacts("-"))
    report = judged(unread)
    assert set(reasons(report).values()) == {str(obstacle)}
    assert len(report.failed()) == 1
    ran = {line.name for line in report.checks if line.verdict is not Verdict.NOT_RUN}
    by_name = set() if name is None else {"exists", "named_by_job", "name_pattern"}
    assert ran == BEFORE_CONTENT | report.failed() | by_name


@pytest.mark.parametrize("kind", FaultKind)
def test_an_output_that_is_not_parquet_has_one_reason(facts: Facts, kind: FaultKind) -> None:
    report = judged(replace(facts, file=Fault(kind, "why"), profile=None, ids=None))
    assert set(reasons(report).values()) == {"the output is not readable Parquet"}
    assert len(report.failed()) == 1


@pytest.mark.parametrize("trouble", ["data_fault", "unsupported"])
def test_rows_that_were_not_read_have_one_reason(facts: Facts, trouble: str) -> None:
    broken = replace(facts, profile=None, ids=None, **{trouble: "why"})  # type: ignore[arg-type] # both are texts
    report = judged(broken)
    assert set(reasons(report).values()) == {broken.broken_off}


TAKEN: dict[str, Callable[[Facts], Facts]] = {
    "rows": lambda facts: replace(facts, profile=None, ids=None, data_fault="why"),
    "rows-for-values": lambda facts: replace(facts, unsupported="why"),
    "ids": lambda facts: replace(facts, ids=None, ids_fault="why"),
    "input": lambda facts: replace(facts, input=InputFacts("why")),
    "values": lambda facts: replace(facts, values=ValueFacts(stopped="why")),
    "statistics": lambda facts: replace(facts, job=replace(facts.job, statistics={})),
    "release": lambda facts: replace(facts, job=replace(facts.job, overture_release=None)),
}
"""Facts of which one part is missing."""


@pytest.mark.parametrize("take", TAKEN.values(), ids=TAKEN)
def test_no_check_is_without_a_reason(facts: Facts, take: Callable[[Facts], Facts]) -> None:
    found = reasons(judged(take(facts)))
    assert found
    assert all(found.values())


def test_what_an_input_is_needed_for() -> None:
    assert {
        "input_columns_kept",
        "input_types_kept",
        "input_types_not_widened",
        "input_order_kept",
        "no_extra_columns",
        "no_name_clash",
        "input_values_kept",
        "input_rows_paired",
        "input_ids_kept",
        "no_extra_ids",
    } == COMPARISONS


def test_every_check_has_its_own_name_and_a_sentence() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(check.title.endswith(".") for check in CHECKS)


def test_a_limit_of_the_audit_breaks_no_promise(facts: Facts) -> None:
    """But what was found before the limit does."""
    unread = replace(facts, profile=None, ids=None, unsupported="a type that it does not know")
    assert judged(unread).failed() == {"auditable"}
    assert judged(unread).outcome == "not_audited"
    renamed = replace(unread, name="other.parquet")
    assert judged(renamed).failed() == {"auditable", "named_by_job", "name_pattern"}
    assert judged(renamed).outcome == "invalid"


def test_a_warning_beside_a_limit_leaves_the_output_not_audited(facts: Facts) -> None:
    job = replace(facts.job, output_name=None, promised_output="streets_matched.parquet")
    unread = replace(facts, profile=None, ids=None, unsupported="why", job=job)
    assert judged(unread).failed() == {"auditable", "name_pattern"}
    assert judged(unread).outcome == "not_audited"


def test_a_report_is_complete_when_every_error_was_looked_for(tmp_path: Path, facts: Facts) -> None:
    assert judged(facts).complete
    assert judged(replace(facts, values=None)).complete  # nobody asked
    assert judged(replace(facts, job=replace(facts.job, overture_release=None))).complete  # warning
    assert not judged(replace(facts, input=InputFacts("there is no input"))).complete
    bad = audited(tmp_path, changed(matched_table(), "gers_id", r0="x"))
    assert (bad.outcome, bad.complete) == ("invalid", True)


def test_a_limit_met_while_values_are_compared_leaves_open_whether_rows_are_readable(
    facts: Facts,
) -> None:
    found = reasons(judged(replace(facts, unsupported="why")))
    assert set(found) == {"rows_readable", "input_values_kept", "input_rows_paired"}
