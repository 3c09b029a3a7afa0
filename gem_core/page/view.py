"""Arranges the result of an audit for the page: texts and numbers, without markup. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gem_core.audit.judging.check import Missing, Severity
from gem_core.audit.judging.job_statistics import (
    Counted,
    Counting,
    count_roads,
    reported,
    share,
    threshold,
)
from gem_core.audit.judging.report import CheckResult, Report
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.reading.source import Source
from gem_core.gem.contracts.members import Statistic
from gem_core.outcome import Outcome
from gem_core.page.facts import Fact, job_facts, provenance, shortened
from gem_core.page.plots import (
    DrawnMap,
    Histogram,
    ShareTable,
    drawn_map,
    histogram,
    share_table,
)
from gem_core.page.survey import Survey
from gem_core.page.words import count, number_of, percent


@dataclass(frozen=True, slots=True)
class ShareLine:
    """A share that GEM reports, and the same share counted in the file."""

    name: str
    reported: str
    by_rows: str
    by_ids: str
    difference: str
    """Distance from GEM's figure to the nearer of the two counted shares, in percentage points."""
    agrees: bool | None
    """Whether a counted share, rounded to GEM's digits, equals it; None if not comparable."""


@dataclass(frozen=True, slots=True)
class View:
    """All values that the template shows."""

    title: str
    outcome: str
    headline: str
    job: tuple[Fact, ...]
    """The job and its labels."""
    tiles: tuple[Fact, ...]
    failed: tuple[CheckResult, ...]
    not_run: tuple[CheckResult, ...]
    not_asked: tuple[CheckResult, ...]
    """Checks that were not requested. They are not in `not_run`."""
    passed: tuple[CheckResult, ...]
    shares: tuple[ShareLine, ...]
    histogram: Histogram | None
    confidence: tuple[Fact, ...]
    confidence_note: str
    """Which rows the figures of confidence leave out; empty if none."""
    breakdowns: tuple[ShareTable, ...]
    not_shown: str
    """Names of the input's columns without a breakdown; empty if there is none."""
    ids: tuple[Fact, ...]
    map: DrawnMap | None
    map_share: str
    """How many rows of the file are matched: the roads of the map do not show it."""
    provenance: tuple[Fact, ...]
    survey_note: str


def arrange(
    report: Report,
    survey: Survey,
    *,
    output: Source | None,
    at: datetime,
    labels: Mapping[str, str],
) -> View:
    """Arrange a report for the template.

    Args:
        report: the result of the audit.
        survey: the result of the second pass.
        output: the version that both have read; None when no output was opened.
        at: the moment of the audit.
        labels: of the job's registration.

    """
    by_verdict = {
        verdict: tuple(line for line in report.checks if line.verdict is verdict)
        for verdict in Verdict
    }
    order = list(Severity)
    failed = sorted(by_verdict[Verdict.FAILED], key=lambda line: order.index(line.severity))
    not_run = tuple(line for line in by_verdict[Verdict.NOT_RUN] if line.judgement.is_asked)
    return View(
        title=output.name if output else report.facts.job.output_name or "No output",
        outcome=str(report.outcome),
        headline=_headline(report, len(not_run)),
        job=job_facts(report, labels),
        tiles=_tiles(report),
        failed=tuple(failed),
        not_run=not_run,
        not_asked=tuple(line for line in by_verdict[Verdict.NOT_RUN] if line not in not_run),
        passed=by_verdict[Verdict.PASSED],
        shares=_shares(report),
        histogram=_histogram(report, survey),
        confidence=_confidence(report),
        confidence_note=_confidence_note(report),
        breakdowns=tuple(map(share_table, survey.breakdowns)),
        not_shown=_some(survey.not_shown),
        ids=_ids(report),
        map=drawn_map(survey.road_map) if survey.road_map else None,
        map_share=_map_share(report),
        provenance=provenance(report, survey, output, at),
        survey_note=survey.note,
    )


def _headline(report: Report, not_run: int) -> str:
    failed = [line.severity for line in report.checks if line.verdict is Verdict.FAILED]
    errors, warnings = failed.count(Severity.ERROR), failed.count(Severity.WARNING)
    headline = {
        Outcome.INVALID: f"{number_of(errors, 'error')}. Do not use this file.",
        Outcome.NOT_AUDITED: "This file could not be judged. It may be valid or invalid.",
        Outcome.VALID_WITH_WARNINGS: f"No errors, but {number_of(warnings, 'warning')}.",
    }.get(report.outcome, "No errors and no warnings.")
    skipped = f" {number_of(not_run, 'check was', 'checks were')} not run." if not_run else ""
    return headline + skipped


def _confidence_note(report: Report) -> str:
    profile = report.facts.profile
    if not profile or not profile.confidence or profile.matched is None:
        return ""
    left_out = profile.matched - profile.confidence.count
    if not left_out:
        return ""
    rows = number_of(left_out, "matched row has", "matched rows have")
    return f"Left out: {rows} no confidence from 0 to 1."


def _map_share(report: Report) -> str:
    """The true numbers of rows, since the map draws only some roads of each kind."""
    profile = report.facts.profile
    if not profile or profile.matched is None or not profile.rows:
        return ""
    share = percent(profile.matched / profile.rows)
    return f"{count(profile.matched)} of {count(profile.rows)} rows ({share})"


def _some(names: Sequence[str]) -> str:
    """The first ten names."""
    shown, more = ", ".join(name[:100] for name in names[:10]), len(names) - 10
    return f"{shown} and {more} more" if more > 0 else shown


def _tiles(report: Report) -> tuple[Fact, ...]:
    profile = report.facts.profile
    matched = profile.matched if profile else None
    share = matched / profile.rows if profile and matched is not None and profile.rows else None
    gem_share = reported(report.facts, Statistic.MATCHED_SHARE)
    return (
        Fact("Rows", count(report.rows)),
        Fact(
            "Matched",
            percent(share),
            f"{count(matched)} rows" if matched is not None else "",
        ),
        Fact(
            "GEM says",
            shortened(gem_share) if gem_share is not None else "nothing",
            "of roads matched" if gem_share is not None else "about the matched share",
        ),
        Fact(
            "Checks passed",
            f"{sum(line.verdict is Verdict.PASSED for line in report.checks)}"
            f" of {sum(line.judgement.is_asked for line in report.checks)}",
        ),
    )


def _shares(report: Report) -> tuple[ShareLine, ...]:
    try:
        counted = count_roads(report.facts)
    except Missing:
        return ()
    if not counted.matched:
        return ()
    names = ((Statistic.MATCHED_SHARE, "Matched"), (Statistic.UNMATCHED_SHARE, "Unmatched"))
    return tuple(_share(report, counted, statistic, name) for statistic, name in names)


def _share(report: Report, counted: Counted, statistic: Statistic, name: str) -> ShareLine:
    shares = counted.shares(statistic)
    by_rows, by_ids = percent(shares.get(Counting.ROWS)), percent(shares.get(Counting.IDS))
    try:
        gem_share = share(statistic)(report.facts)
    except Missing as reason:
        return ShareLine(name, shortened(str(reason)), by_rows, by_ids, "", None)
    difference = min(gem_share.points_from(share) for share in shares.values())
    return ShareLine(
        name,
        gem_share.text,
        by_rows,
        by_ids,
        f"{difference:.2f} points" if difference >= 0.005 else "",  # noqa: PLR2004 - rounds to 0.01
        any(gem_share.prints(share) for share in shares.values()),
    )


def _histogram(report: Report, survey: Survey) -> Histogram | None:
    profile = report.facts.profile
    if not profile or not profile.confidence:
        return None
    try:
        line = threshold(report.facts)
    except Missing:
        line = None
    return histogram(profile.confidence.histogram, survey.unmatched_histogram, line)


def _confidence(report: Report) -> tuple[Fact, ...]:
    profile = report.facts.profile
    found = profile.confidence if profile else None
    if not found or not found.quantiles:
        return ()
    low, _, _, middle, _, _, high = found.quantiles
    values = (
        ("Minimum", found.minimum),
        ("1st percentile", low),
        ("Median", middle),
        ("Mean", found.mean),
        ("99th percentile", high),
        ("Maximum", found.maximum),
    )
    return tuple(Fact(name, f"{value:.4f}") for name, value in values if value is not None)


def _ids(report: Report) -> tuple[Fact, ...]:
    ids, profile = report.facts.ids, report.facts.profile
    if not ids or not profile:
        return ()
    reason = shortened(ids.not_compared)
    return (
        Fact("Rows", count(profile.rows)),
        Fact("Rows without an id", count(profile.rows - ids.rows)),
        Fact("Distinct ids", count(ids.distinct), ids.not_counted),
        Fact(
            "Rows that repeat an id",
            count(ids.rows - ids.distinct) if ids.distinct is not None else "not known",
        ),
        Fact("Ids of the input that are missing", count(ids.missing), reason),
        Fact("Ids that the input does not have", count(ids.extra), reason),
    )
