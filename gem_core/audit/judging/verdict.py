"""The answer of one check: passed, failed or not run. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from gem_core.audit.rows.example import Example


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check found."""

    verdict: Verdict
    detail: str = ""
    offending: int | None = None
    """How many rows, ids or columns break the promise."""
    examples: tuple[Example, ...] = ()
    is_asked: bool = True
    """False for a check that runs only on request, and was not requested."""


def passed(detail: str = "") -> Judgement:
    """The promise holds."""
    return Judgement(Verdict.PASSED, detail)


def failed(
    detail: str, offending: int | None = None, examples: tuple[Example, ...] = ()
) -> Judgement:
    """The promise is broken."""
    return Judgement(Verdict.FAILED, detail, offending, examples)


def no_problem(problem: str) -> Judgement:
    """The promise holds unless there is a problem, given in words."""
    return failed(problem) if problem else passed()


def not_run(reason: str) -> Judgement:
    """It is not known whether the promise holds; the reason says why."""
    return Judgement(Verdict.NOT_RUN, reason)


def not_asked(how: str) -> Judgement:
    """The check was not requested; the text says how to request it."""
    return Judgement(Verdict.NOT_RUN, how, is_asked=False)
