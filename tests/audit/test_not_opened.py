"""The report of an output that no audit opened."""

from pathlib import Path

from gem_core.audit.audit import not_opened_report
from gem_core.audit.judging.checks import CHECKS
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.verdict import Verdict
from tests.audit.build import job, matched_table, write
from tests.audit.lines import lines

CHANGED = NotOpened(Obstacle.CHANGED, "it was overwritten each time")
NAMES_ONLY = {"names_usable", "matched_parts_sum", "shares_sum", "statistics_readable"}


def test_an_output_that_never_holds_still(tmp_path: Path) -> None:
    report = not_opened_report(job(), CHANGED, write(tmp_path, matched_table()))
    assert report.outcome == "invalid"
    assert report.failed() == {"unchanged_while_read"}
    assert (report.bytes_read, report.requests) == (0, 0)
    assert report_to_json(report)["input"]["note"].startswith("not read, since the output changed")
    assert set(lines(report, Verdict.PASSED)) == NAMES_ONLY | {
        "exists",
        "named_by_job",
        "name_pattern",
    }
    assert report_to_json(report)["output"]["rows"] is None


def test_an_output_that_no_audit_survived_keeps_its_size(tmp_path: Path) -> None:
    output = write(tmp_path, matched_table())
    report = not_opened_report(job(), NotOpened(Obstacle.ENDED_EARLY, "ten began"), output)
    assert report.outcome == "not_audited"
    assert report.failed() == {"auditable"}
    assert report_to_json(report)["output"]["bytes"] == output.size_bytes
    assert (report.bytes_read, report.requests) == (0, 0)


def test_an_output_whose_name_leads_elsewhere_is_not_opened() -> None:
    why = NotOpened(Obstacle.NAMES, "GEM's file name '../x' is more than a plain file name")
    report = not_opened_report(job(), why, None)
    assert report.outcome == "invalid"
    assert report.failed() == {"names_usable"}
    assert (report.bytes_read, report.requests) == (0, 0)
    assert set(lines(report, Verdict.PASSED)) == NAMES_ONLY - {"names_usable"}
    assert len(report.checks) == len(CHECKS)
