"""The parts of the facts that checks of an input need. Pure."""

from gem_core.audit.contract import Promise
from gem_core.audit.judging.check import Missing, Need, known
from gem_core.audit.parquet.opened_file import OpenedFile
from gem_core.audit.rows.offenders import Offenders
from gem_core.preflight.extent import Extent
from gem_core.preflight.road_facts import RoadFacts, RoadProfile
from gem_core.preflight.road_rules import RoadRule

_NOT_PARQUET = "the file is not readable Parquet"


def footer(facts: RoadFacts) -> OpenedFile:
    """The footer: schema, rows, column chunks."""
    return known(facts.opened, _NOT_PARQUET)


def problem_of(facts: RoadFacts, promise: Promise) -> str:
    """What is wrong with a column, or empty. Raises Missing if the command cannot read it."""
    schema = footer(facts).schema
    if reason := promise.unreadable(schema):
        raise Missing(reason)
    return promise.problem(schema)


def profile_of(facts: RoadFacts) -> RoadProfile:
    """The rows, read to the end."""
    footer(facts)
    why = facts.data_fault or facts.unsupported
    return known(facts.profile, "the rows could not be read to the end" if why else _NO_COLUMN)


_NO_COLUMN = "no column of an input can be used"


def column_names(facts: RoadFacts) -> list[str]:
    """The names of all columns."""
    return list(footer(facts).schema.names)


def offenders(rule: RoadRule) -> Need[tuple[int, Offenders], RoadFacts]:
    """The number of rows, and those that break a rule."""

    def found(facts: RoadFacts) -> tuple[int, Offenders]:
        profile = profile_of(facts)
        if rule not in profile.offenders:
            raise Missing("the column cannot be used")
        return profile.rows, profile.offenders[rule]

    return found


def repeated_ids(facts: RoadFacts) -> tuple[int, int]:
    """The number of rows with an id, and of those whose id an earlier row has."""
    profile_of(facts)
    if facts.id_promise.name not in column_names(facts) or facts.ids is None:
        raise Missing(facts.ids_fault or "the column cannot be used")
    return facts.ids.rows, facts.ids.rows - known(facts.ids.distinct, facts.ids.not_counted)


def forms(facts: RoadFacts) -> str:
    """What the geometries are that are no LINESTRING, in words."""
    forms = profile_of(facts).forms.most_common(5)
    return ", ".join(f"{name} in {count}" for name, count in forms)


def extent_of(facts: RoadFacts) -> Extent:
    """Where the roads are."""
    return profile_of(facts).extent


def extent_in_range(facts: RoadFacts) -> Extent:
    """The same, if a road is within the range of longitude and latitude."""
    extent = extent_of(facts)
    if not extent.inside:
        raise Missing("no road is in range")
    return extent


def navigable_roads(facts: RoadFacts) -> tuple[int, int]:
    """The number of roads, and of navigable ones."""
    profile = profile_of(facts)
    return profile.rows, known(profile.navigable, "the column cannot be used")
