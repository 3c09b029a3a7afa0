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
    """How many rows, ids or columns offend."""
    examples: tuple[Example, ...] = ()
    is_asked: bool = True
    """False for one that did not run since nobody asked for it."""


def passed(detail: str = "") -> Judgement:
    """The promise holds."""
    return Judgement(Verdict.PASSED, detail)


def failed(
    detail: str, offending: int | None = None, examples: tuple[Example, ...] = ()
) -> Judgement:
    """The promise is broken."""
    return Judgement(Verdict.FAILED, detail, offending, examples)


def not_run(reason: str) -> Judgement:
    """Nobody knows whether the promise holds, and why."""
    return Judgement(Verdict.NOT_RUN, reason)


def not_asked(how: str) -> Judgement:
    """Nobody asked whether the promise holds, and how one does."""
    return Judgement(Verdict.NOT_RUN, how, is_asked=False)
