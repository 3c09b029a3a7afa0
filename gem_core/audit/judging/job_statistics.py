"""The figures of a job's statistics, each read strictly, beside what the output holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from gem_core.audit.judging.facts import Facts
from gem_core.gem.contracts.contract import Statistic
from gem_core.gem.contracts.known import contract_of
from gem_core.gem.contracts.percent import Percent
from gem_core.gem.job import GemJob

MATCHED_SHARE = Statistic.MATCHED_SHARE
UNMATCHED_SHARE = Statistic.UNMATCHED_SHARE
FULLY_SHARE = Statistic.FULLY_MATCHED_SHARE
PARTIALLY_SHARE = Statistic.PARTIALLY_MATCHED_SHARE
THRESHOLD = Statistic.CONFIDENCE_THRESHOLD
ROADS = Statistic.ROADS


class StatisticUnusable(ValueError):
    """A statistic is absent or cannot be read; the message says which and why."""


class Counting(StrEnum):
    """What a road is. Nothing says that a road has one row, so both are tried."""

    ROWS = "rows"
    IDS = "ids"
    """Distinct ids; a road that was matched in parts may have a row for each."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the output holds, by each counting that is known."""

    roads: Mapping[Counting, int]
    matched: Mapping[Counting, Fraction]
    unmatched: Mapping[Counting, Fraction]
    ids_unknown: str = ""
    """Why there is no counting by ids, or empty."""

    def shares(self, statistic: Statistic) -> Mapping[Counting, Fraction]:
        """The share, 0 to 1, for MATCHED_SHARE or UNMATCHED_SHARE."""
        return self.matched if statistic == MATCHED_SHARE else self.unmatched


def count_roads(facts: Facts) -> Counted:
    """Count roads. An id with a matched row is a matched road; one with none is unmatched.

    Raises:
        StatisticUnusable: the rows were not read.

    """
    profile, ids = facts.profile, facts.ids
    if not profile:
        raise StatisticUnusable(facts.unread)
    roads = {Counting.ROWS: profile.rows}
    matched, unmatched = {}, {}
    if profile.rows and profile.matched is not None and profile.unmatched is not None:
        matched[Counting.ROWS] = Fraction(profile.matched, profile.rows)
        unmatched[Counting.ROWS] = Fraction(profile.unmatched, profile.rows)
    if not ids:
        why = facts.ids_fault or "there is no id column as promised"
        return Counted(roads, matched, unmatched, why)
    if ids.distinct is None or ids.distinct_matched is None:
        return Counted(roads, matched, unmatched, ids.not_counted)
    roads[Counting.IDS] = ids.distinct
    if ids.distinct and matched:
        matched[Counting.IDS] = Fraction(ids.distinct_matched, ids.distinct)
        unmatched[Counting.IDS] = 1 - matched[Counting.IDS]
    return Counted(roads, matched, unmatched)


def name_of(job: GemJob, statistic: Statistic) -> str:
    """The statistic's name in GEM's answer."""
    return contract_of(job).statistics[statistic]


def reported(job: GemJob, statistic: Statistic) -> object:
    """The statistic as received; None without one."""
    return job.statistics.get(name_of(job, statistic))


def read_share(job: GemJob, statistic: Statistic) -> Percent:
    """Read one of the four shares.

    Raises:
        StatisticUnusable: as the class says.

    """
    value = _figure(job, statistic)
    try:
        return contract_of(job).read_share(value)
    except ValueError as error:
        raise StatisticUnusable(f"{name_of(job, statistic)}: {error}") from None


def read_threshold(job: GemJob) -> float:
    """Read the confidence threshold, percent.

    Raises:
        StatisticUnusable: as the class says.

    """
    value = _number(job, THRESHOLD)
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise StatisticUnusable(f"{name_of(job, THRESHOLD)} is {value}, not within 0 to 100")
    return float(value)


def read_roads(job: GemJob) -> int:
    """Read the number of roads; 32456.0 is 32456.

    Raises:
        StatisticUnusable: as the class says.

    """
    value = _number(job, ROADS)
    if value < 0 or value % 1 != 0:
        raise StatisticUnusable(f"{name_of(job, ROADS)} is {value}, not a count")
    return int(value)


def confidence_floor(job: GemJob) -> float | None:
    """The smallest confidence (0 to 1) of a matched row, if the job has a threshold.

    A millionth of leeway: 0.7 in single precision is 0.69999999.
    """
    try:
        return read_threshold(job) / 100 - 1e-6
    except StatisticUnusable:
        return None


def _number(job: GemJob, statistic: Statistic) -> int | float:
    value = _figure(job, statistic)
    if isinstance(value, bool) or not isinstance(value, int | float):
        name = name_of(job, statistic)
        raise StatisticUnusable(f"{name} is {str(value)[:40]!r}, not a number")
    return value


def _figure(job: GemJob, statistic: Statistic) -> object:
    value = reported(job, statistic)
    if value is None:
        raise StatisticUnusable(f"the job's statistics have no {name_of(job, statistic)}")
    return value
