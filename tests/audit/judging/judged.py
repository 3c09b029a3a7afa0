"""Reports of the usual output, and what is not asked of it."""

import json
from typing import Any

from gem_core.audit.judging.report import Report
from gem_core.audit.judging.verdict import Verdict

NOT_ASKED = {
    "gers_alive",
    "gers_type",
    "gers_in_place",
    "input_as_registered",
    "input_values_kept",
    "input_rows_paired",
    "linear_reference_values",
    "linear_reference_order",
}
"""Not run in these tests: no input was expected, nor values to be compared; the layout of the page
has no linear references."""


def not_run(report: Report) -> set[str]:
    found = {line.name for line in report.checks if line.verdict is Verdict.NOT_RUN}
    return found - NOT_ASKED


WITHOUT_SHARES = "statistics_readable"
"""Fails in tests that leave the shares out."""
SHARES = (
    "roads_matched",
    "roads_unmatched",
    "roads_fully_matched",
    "roads_partially_matched",
)


def plain(value: dict[str, Any]) -> dict[str, Any]:
    """Through JSON, which refuses NaN and the infinities."""
    again: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    assert again == value
    return again
