"""Checks of the job's statistics: against the output, and against each other. Pure."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from gem_core.audit.judging.check import ERROR, WARNING, Check, Missing, Need, Severity, check
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import (
    Counted,
    Counting,
    count_roads,
    name_of,
    roads,
    share,
    threshold,
)
from gem_core.audit.judging.not_opened import Obstacle
from gem_core.audit.judging.parts import answer
from gem_core.audit.judging.verdict import Judgement, failed, not_run, passed
from gem_core.gem.contracts.known import is_known
from gem_core.gem.contracts.members import Statistic
from gem_core.gem.contracts.percent import Percent

CLOSE_POINTS = 1.0
"""Percentage points by which a share may differ without failing the output."""

_SHARES = (
    Statistic.MATCHED_SHARE,
    Statistic.UNMATCHED_SHARE,
    Statistic.FULLY_MATCHED_SHARE,
    Statistic.PARTIALLY_MATCHED_SHARE,
)

_ALL = Percent("100%", Decimal(100))


@check(
    ERROR,
    "The job's number of roads is the number of rows, or of distinct ids.",
    name_of(Statistic.ROADS),
    roads,
    count_roads,
)
def road_count(name: str, reported: int, counted: Counted) -> Judgement:
    """Rows are tried first, then distinct ids."""
    for counting, found in counted.roads.items():
        if found == reported:
            return _agreed(counting)
    ids = counted.roads.get(Counting.IDS)
    if counted.rows_are_matches and ids is not None and reported < ids:
        return not_run(
            f"{name} is {reported}, the input has {ids} ids: GEM may leave out roads that are not "
            "navigable"
        )
    by_each = " and ".join(f"{found} by {counting}" for counting, found in counted.roads.items())
    problem = f"{name} is {reported}" + (f", there are {by_each}" if by_each else "")
    return _open_or_failed(problem, counted.ids_unknown)


def _counted(statistic: Statistic) -> Need[Counted]:
    """The output's roads, of which the share is known.

    Without the ids it is unknown whether GEM counted ids, unless its number of roads is that of the
    rows.
    """

    def counted(facts: Facts) -> Counted:
        found = count_roads(facts)
        if not found.shares(statistic):
            raise Missing(found.ids_unknown or "there are no rows with a status to count")
        if found.rows_are_matches and (reported := roads(facts)) != found.roads[Counting.IDS]:
            raise Missing(
                f"the job's number of roads is {reported}, the input has "
                f"{found.roads[Counting.IDS]} ids: shares cannot be compared"
            )
        try:
            counts_rows = roads(facts) == found.roads.get(Counting.ROWS)
        except Missing:
            counts_rows = False
        return replace(found, ids_unknown="") if counts_rows else found

    return counted


def _share(
    name: str,
    severity: Severity,
    statistic: Statistic,
    agrees: Callable[[Percent, Fraction], bool],
    title: str,
) -> Check:
    """Compare by rows, then by distinct ids."""

    @check(severity, title, name_of(statistic), share(statistic), _counted(statistic), name=name)
    def judge(name: str, reported: Percent, counted: Counted) -> Judgement:
        shares = counted.shares(statistic)
        for counting, found in shares.items():
            if agrees(reported, found):
                return _agreed(counting)
        by_each = " and ".join(f"{float(found):.4%} by {by}" for by, found in shares.items())
        problem = f"{name} is {reported.text}, the output has {by_each}"
        return _open_or_failed(problem, counted.ids_unknown)

    return judge


def _is_close(reported: Percent, found: Fraction) -> bool:
    return reported.points_from(found) <= CLOSE_POINTS


def _agreed(counting: Counting) -> Judgement:
    return passed(f"agreed by {counting}")


def _open_or_failed(problem: str, ids_unknown: str) -> Judgement:
    """Without a count of ids nobody knows whether GEM counted roads that have several rows."""
    return not_run(f"{problem}, and {ids_unknown}") if ids_unknown else failed(problem)


@check(
    WARNING,
    "The job's shares of fully and of partially matched roads add up to its share of matched "
    "roads, within rounding.",
    share(Statistic.FULLY_MATCHED_SHARE),
    share(Statistic.PARTIALLY_MATCHED_SHARE),
    share(Statistic.MATCHED_SHARE),
)
def matched_parts_sum(fully: Percent, partially: Percent, matched: Percent) -> Judgement:
    """Off by one unit of the last printed digit is rounding: three roundings differ by no more."""
    return _adds_up(fully, partially, matched)


@check(
    WARNING,
    "The job's shares of matched and of unmatched roads add up to 100%, within rounding.",
    share(Statistic.MATCHED_SHARE),
    share(Statistic.UNMATCHED_SHARE),
)
def shares_sum(matched: Percent, unmatched: Percent) -> Judgement:
    """The page's own example (84.68 + 15.31) is off by one unit of the last digit."""
    return _adds_up(matched, unmatched, _ALL)


def _adds_up(one: Percent, other: Percent, whole: Percent) -> Judgement:
    found = one.value + other.value
    digits = max(one.digits, other.digits, whole.digits)
    if abs(found - whole.value) * 10**digits <= 1:
        return passed()
    return failed(f"{one.text} + {other.text} is {found}%, not {whole.value}%")


def _unreadable(facts: Facts) -> list[str]:
    answer(facts)
    if not is_known(facts.job):
        raise Missing(Obstacle.CONTRACT)
    problems = []
    for need in (*map(share, _SHARES), roads, threshold):
        try:
            need(facts)
        except Missing as reason:
            problems.append(str(reason))
    return problems


@check(
    WARNING, "Every figure of the job's statistics is there, and has a possible value.", _unreadable
)
def statistics_readable(problems: list[str]) -> Judgement:
    """A figure that cannot be read is not compared, so somebody should look."""
    return failed("; ".join(problems), len(problems)) if problems else passed()


STATISTICS_CHECKS = (
    statistics_readable,
    road_count,
    _share(
        "matched_share_close",
        ERROR,
        Statistic.MATCHED_SHARE,
        _is_close,
        "The output's share of matched roads is within 1 percentage point of the job's.",
    ),
    _share(
        "matched_share_exact",
        WARNING,
        Statistic.MATCHED_SHARE,
        Percent.prints,
        "The output's share of matched roads rounds or truncates to the digits of the job's.",
    ),
    _share(
        "unmatched_share_close",
        ERROR,
        Statistic.UNMATCHED_SHARE,
        _is_close,
        "The output's share of unmatched roads is within 1 percentage point of the job's.",
    ),
    _share(
        "unmatched_share_exact",
        WARNING,
        Statistic.UNMATCHED_SHARE,
        Percent.prints,
        "The output's share of unmatched roads rounds or truncates to the digits of the job's.",
    ),
    matched_parts_sum,
    shares_sum,
)
