"""The figures of a job's statistics, each read strictly, beside what the output holds. Pure.

A figure that is absent or cannot be read is Missing; the reason names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from gem_core.audit.judging.check import Missing, Need
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.parts import of_answer, promises, rows
from gem_core.audit.judging.parts import roads as counted_roads
from gem_core.gem.contracts.known import figure
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.contracts.percent import Percent


class Counting(StrEnum):
    """What counts as a road. Nothing says that a road has one row, so both are tried."""

    ROWS = "rows"
    IDS = "ids"
    """Distinct ids; a road that was matched in parts may have a row for each part."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the output holds, by each counting that is known."""

    roads: Mapping[Counting, int]
    matched: Mapping[Counting, Fraction]
    """The share of matched roads, 0 to 1."""
    unmatched: Mapping[Counting, Fraction]
    rows_are_matches: bool = False
    """Whether the output has a row for each match, so that its rows do not count roads."""
    ids_unknown: str = ""
    """Why there is no counting by ids, or empty."""

    def shares(self, statistic: Statistic) -> Mapping[Counting, Fraction]:
        """The share, 0 to 1, for MATCHED_SHARE or UNMATCHED_SHARE."""
        return self.matched if statistic is Statistic.MATCHED_SHARE else self.unmatched


def count_roads(facts: Facts) -> Counted:
    """Count roads. An id with a matched row is a matched road; one without is unmatched.

    Raises:
        Missing: the rows were not read.

    """
    profile = rows(facts)
    has_row_per_road = not promises(facts).layout.row_per_match
    counts = {Counting.ROWS: profile.rows} if has_row_per_road else {}
    matched, unmatched = {}, {}
    if (
        has_row_per_road
        and profile.rows
        and profile.matched is not None
        and profile.unmatched is not None
    ):
        matched[Counting.ROWS] = Fraction(profile.matched, profile.rows)
        unmatched[Counting.ROWS] = Fraction(profile.unmatched, profile.rows)
    try:
        distinct, distinct_matched = counted_roads(facts)
    except Missing as reason:
        return Counted(
            counts,
            matched,
            unmatched,
            rows_are_matches=not has_row_per_road,
            ids_unknown=str(reason),
        )
    counts[Counting.IDS] = distinct
    if distinct and profile.matched is not None:
        matched[Counting.IDS] = Fraction(distinct_matched, distinct)
        unmatched[Counting.IDS] = 1 - matched[Counting.IDS]
    return Counted(counts, matched, unmatched, rows_are_matches=not has_row_per_road)


def name_of(statistic: Statistic) -> Need[str]:
    """The statistic's name in GEM's answer."""
    return lambda facts: figure(facts.job, statistic).name


def reported(facts: Facts, statistic: Statistic) -> object:
    """The statistic as received; None without one."""
    return figure(facts.job, statistic).value


def share(statistic: Statistic) -> Need[Percent]:
    """One of the four shares."""

    def read(facts: Facts) -> Percent:
        _figure(facts, statistic)
        try:
            return figure(facts.job, statistic).share()
        except ValueError as error:
            raise Missing(f"{name_of(statistic)(facts)}: {error}") from None

    return read


def threshold(facts: Facts) -> float:
    """The confidence threshold, percent."""
    value = _number(facts, Statistic.CONFIDENCE_THRESHOLD)
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise Missing(
            f"{name_of(Statistic.CONFIDENCE_THRESHOLD)(facts)} is {value}, not within 0 to 100"
        )
    return float(value)


def roads(facts: Facts) -> int:
    """The number of roads; 32456.0 is 32456."""
    value = _number(facts, Statistic.ROADS)
    if value < 0 or value % 1 != 0:
        raise Missing(f"{name_of(Statistic.ROADS)(facts)} is {value}, not a count")
    return int(value)


def confidence_floor(facts: Facts) -> float | None:
    """The smallest confidence (0 to 1) of a matched row, if the job has a threshold.

    A millionth of leeway: 0.7 in single precision is 0.69999999.
    """
    try:
        return threshold(facts) / 100 - 1e-6
    except Missing:
        return None


def _number(facts: Facts, statistic: Statistic) -> int | float:
    value = _figure(facts, statistic)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Missing(f"{name_of(statistic)(facts)} is {str(value)[:40]!r}, not a number")
    return value


def _figure(facts: Facts, statistic: Statistic) -> object:
    found = figure(facts.job, statistic)
    return of_answer(facts, found.value, f"the job's statistics have no {found.name}")
