"""The version of the checks, and what a report says when none ran. Pure, without Parquet."""

from typing import Any

RULESET = "1"
"""Version of the checks. A change of a check's name, severity or meaning makes a new one."""

COUNTS = ("passed", "failedError", "failedWarning", "failedInfo", "notRun", "notAsked")
"""What a report counts, in its order."""


def no_checks() -> dict[str, Any]:
    """The checks of a job without an audit, as plain JSON."""
    return {
        "ruleset": RULESET,
        "complete": True,
        "counts": dict.fromkeys(COUNTS, 0),
        "notPassed": [],
        "all": [],
    }
