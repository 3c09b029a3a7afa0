"""The lines of a report, by verdict."""

from gem_core.audit.judging.report import Report
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


def lines(report: Report, verdict: Verdict) -> dict[str, str]:
    return {
        line.name: line.judgement.detail
        for line in report.checks
        if line.verdict is verdict and line.name not in NOT_ASKED
    }


ERRORS = [OutputChanged("replaced"), OutputUnreachable("503"), OutputMissing("gone")]
