"""How a job ended for those who listen: one word a manifest. Pure."""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a job, as the manifest says it."""

    VALID = "valid"
    """Finished, and the output keeps every promise."""
    VALID_WITH_WARNINGS = "valid_with_warnings"
    """Finished, and only checks of severity warning failed."""
    INVALID = "invalid"
    """Finished, but at least one check of severity error failed."""
    NOT_AUDITED = "not_audited"
    """Finished, but the output could not be judged; a check says why."""
    OUTPUT_MISSING = "output_missing"
    """Finished, but the output did not appear within the grace time."""
    FAILED = "failed"
    """GEM says so."""
    CANCELLED = "cancelled"
    """GEM says so."""
    LOST = "lost"
    """GEM has answered 404 for long enough."""
    EXPIRED = "expired"
    """Still not ended when the deadline passed."""
