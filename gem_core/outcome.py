"""The outcome of a job, as its manifest names it. Pure."""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a job."""

    VALID = "valid"
    """The job finished, and no check failed."""
    VALID_WITH_WARNINGS = "valid_with_warnings"
    """The job finished, and only checks of severity warning failed."""
    INVALID = "invalid"
    """The job finished, but at least one check of severity error failed."""
    NOT_AUDITED = "not_audited"
    """The job finished, but its output could not be audited; a check says why."""
    OUTPUT_MISSING = "output_missing"
    """The job finished, but its output did not appear within the grace time."""
    FAILED = "failed"
    """GEM says that the job failed."""
    CANCELLED = "cancelled"
    """GEM says that the job was cancelled."""
    LOST = "lost"
    """GEM has answered 404 often and for long enough."""
    EXPIRED = "expired"
    """The job had not ended when its deadline passed."""


WITHOUT_OUTPUT = frozenset(
    {Outcome.OUTPUT_MISSING, Outcome.FAILED, Outcome.CANCELLED, Outcome.LOST, Outcome.EXPIRED}
)
"""Outcomes of jobs that have no output, so no audit and no page."""
