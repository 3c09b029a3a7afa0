"""Makes a page: reads the output a second time, then draws. Edge (reads)."""

from datetime import datetime

from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.page.draw import draw
from gem_core.page.survey import Survey, survey


def make_page(report: Report, output: Source | None, at: datetime, *, with_map: bool) -> str:
    """The report as one self-contained HTML page.

    Args:
        report: the result of the audit.
        output: the version that was audited; None when no output was opened.
        at: the moment of the audit.
        with_map: whether to draw a map with a sample of the roads.

    Raises:
        OutputError: the output cannot be read again, or has changed.

    """
    found = Survey()
    if output and report.facts.profile and (promises := report.facts.promises):
        scale = report.facts.profile.scale
        found = survey(output, promises, with_map=with_map, scale=scale)
    return draw(report, found, output=output, at=at)
