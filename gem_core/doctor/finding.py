"""The result of one diagnostic. Pure."""

from dataclasses import dataclass
from enum import StrEnum

NOT_SIGNED_IN_NOW = (
    "run doctor again in some minutes: this usually passes. If it stays, check that the app has "
    "the identity that the settings name (az functionapp identity show), and restart the app"
)
"""The remedy when there is no token now, though nobody refused it."""


class DiagnosticStatus(StrEnum):
    """The result of a diagnostic, from good to bad."""

    OK = "ok"
    SKIPPED = "skipped"
    """The diagnostic could not run, or there is nothing to test yet; the detail says which."""
    WARNING = "warning"
    """The part works, but a person should look at it."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one diagnostic."""

    status: DiagnosticStatus
    detail: str
    """What the diagnostic observed."""
    remedy: str = ""
    """What to do; empty when nothing is to be done."""


def ok(detail: str) -> Finding:
    """The part works."""
    return Finding(DiagnosticStatus.OK, detail)


def skipped(reason: str) -> Finding:
    """The diagnostic did not run."""
    return Finding(DiagnosticStatus.SKIPPED, reason)


def warning(detail: str, remedy: str) -> Finding:
    """The part works, but a person should look at it."""
    return Finding(DiagnosticStatus.WARNING, detail, remedy)


def fail(detail: str, remedy: str) -> Finding:
    """The part does not work."""
    return Finding(DiagnosticStatus.FAIL, detail, remedy)
