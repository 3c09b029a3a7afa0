"""A preflight as an HTML page with a map. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.verdict import Verdict
from gem_core.page.lines_by_kind import KindMap, drawn_kinds
from gem_core.page.templating import template
from gem_core.page.words import count, moment, size
from gem_core.preflight.duration import Hours
from gem_core.preflight.preflight import RoadReport

_NO_ROADS = "no road could be read"


def draw_preflight(report: RoadReport, found: Mapping[str, Any], at: datetime) -> str:
    """The page.

    Args:
        report: the preflight.
        found: the same as JSON; see `road_report`.
        at: the moment of the preflight.

    """
    order, hours = list(Severity), found["hours"]
    failed = [line for line in report.checks if line.verdict is Verdict.FAILED]
    not_run = [line for line in report.checks if line.verdict is Verdict.NOT_RUN]
    profile = report.facts.profile
    roads = profile.sample if profile else {}
    drawn = drawn_kinds(roads) if any(roads.values()) else KindMap({}, note=_NO_ROADS)
    return template("preflight.html").render(
        found=found,
        failed=sorted(failed, key=lambda line: order.index(line.severity)),
        not_run=[line for line in not_run if line.judgement.is_asked],
        not_asked=[line for line in not_run if not line.judgement.is_asked],
        passed=[line for line in report.checks if line.verdict is Verdict.PASSED],
        map=drawn,
        count=count,
        size=size,
        at=moment(at),
        hours=str(Hours(hours["least"], hours["most"])) if hours else "",
    )
