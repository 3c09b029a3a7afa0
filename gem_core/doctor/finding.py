"""What one check of the doctor found. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class DiagnosticStatus(StrEnum):
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

    status: DiagnosticStatus
    detail: str
    """What was seen."""
    remedy: str = ""
    """What to do."""


def ok(detail: str) -> Finding:
    """As it should be."""
    return Finding(DiagnosticStatus.OK, detail)


def skipped(reason: str) -> Finding:
    """Not looked at."""
    return Finding(DiagnosticStatus.SKIPPED, reason)


def warning(detail: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(DiagnosticStatus.WARNING, detail, remedy)


def fail(detail: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(DiagnosticStatus.FAIL, detail, remedy)
