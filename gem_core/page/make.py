"""Makes a page: reads the output a second time, then draws. Edge (reads)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.page.draw import NO_LABELS, draw
from gem_core.page.survey import Survey, survey


@dataclass(frozen=True, slots=True)
class Page:
    """A report as a page."""

    html: str
    """Self-contained."""
    map_note: str
    """Why there is no map although one was asked for, or why it lacks roads; or empty."""


def make_page(
    report: Report,
    output: Source | None,
    at: datetime,
    *,
    with_map: bool,
    labels: Mapping[str, str] = NO_LABELS,
) -> Page:
    """The report as one page.

    Args:
        report: the result of the audit.
        output: the version that was audited; None when no output was opened.
        at: the moment of the audit.
        with_map: whether to draw a map with a sample of the roads.
        labels: of the job's registration.

    Raises:
        OutputError: the output cannot be read again, or has changed.

    """
    found = Survey()
    if output and report.facts.profile and (promises := report.facts.promises):
        scale = report.facts.profile.scale
        overture = report.facts.overture
        marked = overture.marked if overture else ()
        found = survey(output, promises, with_map=with_map, scale=scale, marked=marked)
    html = draw(report, found, output=output, at=at, labels=labels)
    return Page(html, _map_note(found) if with_map else "")


def _map_note(found: Survey) -> str:
    roads = found.road_map
    if roads is None:
        return f"no map: {found.note or 'the rows of the output were not read'}"
    if roads.matched or roads.unmatched:
        return roads.note and f"the map: {roads.note}"
    return f"no map: {roads.note or 'no row says whether its road was matched'}"
