"""Every check of an input, in the order of the report; here those of its rows. Pure.

Sources: TomTom, "Technical documentation" and "Data preparation" (WKT LineString), "Road matching
data" (unique ids, WGS 84, longitude first).
"""

from gem_core.audit.judging.check import ERROR, WARNING, Check, Severity, check
from gem_core.audit.judging.verdict import Judgement, failed, no_problem, passed
from gem_core.audit.rows.offenders import Offenders
from gem_core.preflight.extent import Extent
from gem_core.preflight.road_facts import RoadFacts
from gem_core.preflight.road_file_checks import FILE_AND_COLUMN_CHECKS
from gem_core.preflight.road_parts import (
    extent_in_range,
    extent_of,
    forms,
    navigable_roads,
    offenders,
    repeated_ids,
)
from gem_core.preflight.road_rules import RoadRule

type RoadCheck = Check[RoadFacts]


def _rule(rule: RoadRule, severity: Severity, title: str) -> RoadCheck:
    return check(severity, title, offenders(rule), name=rule.value)(_no_rows)


def _no_rows(found: tuple[int, Offenders], explanation: str = "") -> Judgement:
    rows, offenders = found
    if not offenders.count:
        return passed()
    more = f"; {explanation}" if explanation else ""
    return failed(f"{offenders.count} of {rows} rows{more}", offenders.count, offenders.examples)


@check(ERROR, "Every id occurs once.", repeated_ids)
def id_unique(found: tuple[int, int]) -> Judgement:
    """Otherwise nobody can tell which road a match belongs to."""
    rows, repeated = found
    if not repeated:
        return passed()
    return failed(f"{repeated} of {rows} rows have the id of an earlier row", repeated)


@check(
    ERROR,
    "Every geometry is a LINESTRING.",
    offenders(RoadRule.GEOMETRY_LINESTRING),
    forms,
)
def geometry_linestring(found: tuple[int, Offenders], forms: str) -> Judgement:
    """A MULTILINESTRING must be several roads, or one line."""
    return _no_rows(found, forms)


@check(
    ERROR,
    "Every longitude is within -180 to 180 and every latitude within -90 to 90.",
    offenders(RoadRule.COORDINATES_IN_RANGE),
    extent_of,
)
def coordinates_in_range(found: tuple[int, Offenders], extent: Extent) -> Judgement:
    """What is not may be swapped, or metres of a projection."""
    return _no_rows(found, extent.reason)


@check(ERROR, "The longitude of each point comes first.", extent_in_range)
def axes_order(extent: Extent) -> Judgement:
    """Finds swapped axes where both numbers are below 90: land is known in cells of half a degree.

    Only if nearly all roads are in the sea, and nearly all would be on land.
    """
    return no_problem(extent.swap_problem)


@check(WARNING, "Most roads are on land, as longitude and latitude of WGS 84.", extent_in_range)
def roads_on_land(extent: Extent) -> Judgement:
    """Finds what no other check does, such as another system in degrees, or noise."""
    return no_problem(extent.sea_problem)


@check(WARNING, "At least one road is navigable.", navigable_roads)
def some_navigable(found: tuple[int, int]) -> Judgement:
    """GEM may leave out roads that are not."""
    rows, navigable = found
    return passed() if navigable or not rows else failed(f"none of {rows} roads is navigable")


ROAD_CHECKS: tuple[RoadCheck, ...] = (
    *FILE_AND_COLUMN_CHECKS,
    _rule(RoadRule.ID_PRESENT, ERROR, "Every row has an id."),
    id_unique,
    _rule(RoadRule.GEOMETRY_PRESENT, ERROR, "Every row has a geometry."),
    geometry_linestring,
    _rule(RoadRule.GEOMETRY_WELL_FORMED, ERROR, "Every LINESTRING is well-formed WKT."),
    _rule(RoadRule.GEOMETRY_TWO_POINTS, ERROR, "Every LINESTRING has at least two points."),
    _rule(RoadRule.COORDINATES_FINITE, ERROR, "Every coordinate is a finite number."),
    coordinates_in_range,
    axes_order,
    roads_on_land,
    _rule(RoadRule.COORDINATES_TWO, WARNING, "Every point has two coordinates, as in GEM's pages."),
    _rule(RoadRule.GEOMETRY_LENGTH, WARNING, "Every road has a length: its points differ."),
    _rule(RoadRule.NAVIGABLE_PRESENT, WARNING, "Every row says whether the road is navigable."),
    some_navigable,
)
