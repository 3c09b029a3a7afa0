"""Checks of the output against the job's statistics, and of those among themselves. Pure."""

from collections.abc import Callable
from functools import wraps

from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import (
    FULLY_SHARE,
    MATCHED_SHARE,
    PARTIALLY_SHARE,
    ROADS,
    UNMATCHED_SHARE,
    Counted,
    Counting,
    StatisticUnusable,
    count_roads,
    name_of,
    read_roads,
    read_share,
)
from gem_core.audit.judging.verdict import Judgement, failed, not_run, passed
from gem_core.gem.contracts.contract import Statistic
from gem_core.gem.job import GemJob

CLOSE_POINTS = 1.0
"""Percentage points that a share may be off without failing the output."""

type Judge = Callable[[Facts], Judgement]


def _needs_statistics(judge: Judge) -> Judge:
    """An absent or unreadable statistic is not_run, with the reason."""

    @wraps(judge)
    def judged(facts: Facts) -> Judgement:
        try:
            return judge(facts)
        except StatisticUnusable as reason:
            return not_run(str(reason))

    return judged


@_needs_statistics
def road_count(facts: Facts) -> Judgement:
    """Rows are tried first, then distinct ids."""
    told, counted = read_roads(facts.job), count_roads(facts)
    name = name_of(facts.job, ROADS)
    agreed = [counting for counting, roads in counted.roads.items() if roads == told]
    if agreed:
        return passed(_by(agreed[0]))
    found = " and ".join(f"{roads} by {counting}" for counting, roads in counted.roads.items())
    if counted.ids_unknown:
        return not_run(f"{name} is {told}, there are {found}, and {counted.ids_unknown}")
    return failed(f"{name} is {told}, there are {found}")


def share_close(statistic: Statistic) -> Judge:
    """Within CLOSE_POINTS, by rows or by distinct ids."""

    @_needs_statistics
    def judge(facts: Facts) -> Judgement:
        told, counted = read_share(facts.job, statistic), count_roads(facts)
        points = {
            counting: told.points_from(share)
            for counting, share in counted.shares(statistic).items()
        }
        return _share(
            statistic,
            facts,
            counted,
            [counting for counting, off in points.items() if off <= CLOSE_POINTS],
        )

    return judge


def share_exact(statistic: Statistic) -> Judge:
    """Equal to the printed digits, by rows or by distinct ids."""

    @_needs_statistics
    def judge(facts: Facts) -> Judgement:
        told, counted = read_share(facts.job, statistic), count_roads(facts)
        shares = counted.shares(statistic).items()
        return _share(
            statistic,
            facts,
            counted,
            [counting for counting, share in shares if told.prints(share)],
        )

    return judge


def _share(
    statistic: Statistic, facts: Facts, counted: Counted, agreed: list[Counting]
) -> Judgement:
    shares = counted.shares(statistic)
    if not shares:
        return not_run("there are no rows with a match_status to count")
    if agreed:
        return passed(_by(agreed[0]))
    told = read_share(facts.job, statistic).text
    found = " and ".join(f"{float(share):.4%} by {by}" for by, share in shares.items())
    problem = f"{name_of(facts.job, statistic)} is {told}, the output has {found}"
    if counted.ids_unknown and not _counts_rows(facts.job, counted):
        # GEM may count roads, and roads may have several rows.
        return not_run(f"{problem}, and {counted.ids_unknown}")
    return failed(problem)


def _counts_rows(job: GemJob, counted: Counted) -> bool:
    """Whether GEM's count of roads is the number of rows, so that its shares are shares of rows."""
    try:
        return read_roads(job) == counted.roads[Counting.ROWS]
    except StatisticUnusable:
        return False


def _by(counting: Counting) -> str:
    return f"agreed by {counting}"


@_needs_statistics
def matched_parts_sum(facts: Facts) -> Judgement:
    """Off by one unit of the last printed digit is rounding: three roundings differ no more."""
    return _adds_up(facts, (FULLY_SHARE, PARTIALLY_SHARE), MATCHED_SHARE)


@_needs_statistics
def shares_sum(facts: Facts) -> Judgement:
    """The page's own example (84.68 + 15.31) is off by one unit of the last digit."""
    return _adds_up(facts, (MATCHED_SHARE, UNMATCHED_SHARE), None)


def _adds_up(
    facts: Facts, parts: tuple[Statistic, Statistic], whole: Statistic | None
) -> Judgement:
    shares = [read_share(facts.job, name) for name in parts]
    total = read_share(facts.job, whole) if whole else None
    expected = total.value if total else 100
    digits = max(share.digits for share in (*shares, *([total] if total else [])))
    found = sum(share.value for share in shares)
    if abs(found - expected) * 10**digits <= 1:
        return passed()
    return failed(f"{' + '.join(share.text for share in shares)} is {found}%, not {expected}%")
