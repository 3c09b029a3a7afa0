"""A preflight as plain JSON. Pure."""

from typing import Any

from gem_core.audit.judging.report_json import checks_to_json
from gem_core.preflight.duration import PACES, hours_for
from gem_core.preflight.output_names import output_names
from gem_core.preflight.preflight import RoadReport

RULESET = "1"
"""Version of the checks. A change of a check's name, severity or meaning makes a new one."""


def road_report_to_json(report: RoadReport) -> dict[str, Any]:
    """The report, without what is not known."""
    facts, profile = report.facts, report.facts.profile
    rows = facts.opened.rows if facts.opened else None
    hours = hours_for(rows) if rows else None
    return {
        "outcome": str(report.outcome),
        "contract": facts.contract.name,
        "input": {
            "name": facts.name,
            "bytes": facts.size_bytes,
            "rows": rows,
            "navigable": profile.navigable if profile else None,
            "points": profile.points if profile else None,
            "extent": _extent(report),
        },
        "outputs": output_names(facts.name),
        "hours": {
            "least": round(hours.least, 4),
            "most": round(hours.most, 4),
            "sources": [
                {"roadsAnHour": pace.roads_an_hour, "source": pace.source} for pace in PACES
            ],
        }
        if hours
        else None,
        "checks": checks_to_json(report.checks, complete=report.complete, ruleset=RULESET),
    }


def _extent(report: RoadReport) -> dict[str, float] | None:
    profile = report.facts.profile
    found = profile.extent if profile else None
    if not found or found.west > found.east:
        return None
    return {
        "west": found.west,
        "south": found.south,
        "east": found.east,
        "north": found.north,
    }
