"""The lines of a report: by verdict, or of one check."""

from gem_core.audit.judging.report import CheckResult, Report
from gem_core.audit.judging.verdict import Verdict
from gem_core.errors import OutputChanged, OutputMissing, OutputUnreachable
from tests.audit.build import LINEAR, OVERTURE

INPUT_CHECKS = {
    "input_columns_kept",
    "input_types_kept",
    "input_types_not_widened",
    "input_order_kept",
    "no_extra_columns",
    "no_name_clash",
    "input_ids_kept",
    "no_extra_ids",
}
ID_CHECKS = {"input_ids_kept", "no_extra_ids"}
NOT_ASKED = {"input_as_registered", "input_values_kept", "input_rows_paired"} | LINEAR | OVERTURE
"""Not run unless a test asks for it: no input was expected, nor values to be compared."""


def lines(report: Report, verdict: Verdict) -> dict[str, str]:
    """Check to detail, of those that are asked for."""
    return {
        line.name: line.judgement.detail
        for line in report.checks
        if line.verdict is verdict and line.name not in NOT_ASKED
    }


def not_run(report: Report) -> set[str]:
    return set(lines(report, Verdict.NOT_RUN))


def line_of(report: Report, check: str) -> CheckResult:
    """The one line of a check."""
    (found,) = (line for line in report.checks if line.name == check)
    return found


def detail(report: Report, check: str) -> str:
    return line_of(report, check).judgement.detail


ERRORS = [OutputChanged("replaced"), OutputUnreachable("503"), OutputMissing("gone")]
