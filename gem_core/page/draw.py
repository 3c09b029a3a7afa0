"""Fills the template: makes one self-contained HTML page from a report. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.page.plots import PLOT_HEIGHT
from gem_core.page.survey import Survey
from gem_core.page.templating import template
from gem_core.page.view import arrange

NO_LABELS: Mapping[str, str] = MappingProxyType({})


def draw(
    report: Report,
    survey: Survey,
    *,
    output: Source | None,
    at: datetime,
    labels: Mapping[str, str] = NO_LABELS,
) -> str:
    """The report as a self-contained HTML page. See `view.arrange` for the arguments."""
    view = arrange(report, survey, output=output, at=at, labels=labels)
    return template("report.html").render(view=view, plot_height=PLOT_HEIGHT)
