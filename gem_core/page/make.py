"""The story of a page: read the output once more, then draw. Edge (reads)."""

from datetime import datetime

from gem_core.audit.contract import promises_of
from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.page.draw import draw
from gem_core.page.survey import Survey, survey


def make_page(report: Report, output: Source | None, at: datetime, *, with_map: bool) -> str:
    """The report as one self-contained HTML page.

    Args:
        report: what the audit found.
        output: the version that was audited; None when none was opened.
        at: when it was audited.
        with_map: whether to draw a sample of the roads.

    Raises:
        OutputError: the output could not be read again, or is another version by now.

    """
    seen = Survey()
    if output and report.facts.profile:
        seen = survey(output, promises_of(report.facts.job), with_map=with_map)
    return draw(report, seen, output=output, at=at)
