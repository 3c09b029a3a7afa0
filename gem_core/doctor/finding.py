"""What one check of the doctor found. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended, from good to bad."""

    OK = "ok"
    SKIPPED = "skipped"
    """It could not be looked at, or there is nothing to look at yet; the reason is told."""
    WARNING = "warning"
    """It works, and somebody should look."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check."""

    verdict: Verdict
    said: str
    """What was seen."""
    remedy: str = ""
    """What to do."""


def ok(said: str) -> Finding:
    """As it should be."""
    return Finding(Verdict.OK, said)


def skipped(reason: str) -> Finding:
    """Not looked at."""
    return Finding(Verdict.SKIPPED, reason)


def warning(said: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(Verdict.WARNING, said, remedy)


def fail(said: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Verdict.FAIL, said, remedy)
