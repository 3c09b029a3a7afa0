"""A report as plain JSON, as the manifest and the report document carry it. Pure."""

from typing import Any

from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import (
    MATCHED_SHARE,
    ROADS,
    THRESHOLD,
    UNMATCHED_SHARE,
    StatisticUnusable,
    count_roads,
    name_of,
)
from gem_core.audit.judging.report import CheckResult, Report
from gem_core.audit.rows.confidence import QUANTILES, Confidence
from gem_core.audit.rows.example import Example
from gem_core.audit.rows.row_rules import RowRule
from gem_core.gem.contracts.contract import Statistic


def report_to_json(report: Report) -> dict[str, Any]:
    """Plain JSON with camelCase keys: no NaN, no infinities."""
    return {
        "ruleset": report.ruleset,
        "outcome": str(report.outcome),
        "output": _output(report.facts),
        "match": _match(report.facts),
        "statistics": _statistics(report.facts, report.checks),
        "input": _input(report.facts),
        "checks": [_check(line) for line in report.checks],
        "reading": {
            "bytesRead": report.bytes_read,
            "requests": report.requests,
            "threads": report.threads,
        },
    }


def _check(result: CheckResult) -> dict[str, Any]:
    """One line; what there is nothing to say of is left out."""
    found = result.judgement
    line: dict[str, Any] = {
        "name": result.name,
        "severity": str(result.severity),
        "verdict": str(found.verdict),
        "title": result.title,
    }
    if not found.is_asked:
        line["asked"] = False
    if found.detail:
        line["detail"] = found.detail
    if found.offending is not None:
        line["offending"] = found.offending
    if found.examples:
        line["examples"] = [_example(example) for example in found.examples]
    return line


def _output(facts: Facts) -> dict[str, Any]:
    opened = facts.opened
    columns = (
        [{"name": field.name, "type": str(field.type)} for field in opened.schema] if opened else []
    )
    return {
        "bytes": facts.size_bytes,
        "rows": opened.rows if opened else None,
        "rowGroups": opened.row_groups if opened else None,
        "columns": columns,
    }


def _match(facts: Facts) -> dict[str, Any] | None:
    """None when nothing is known of matches."""
    profile = facts.profile
    if not profile or profile.matched is None or profile.unmatched is None:
        return None
    rows = profile.rows
    return {
        "rowsMatched": profile.matched,
        "rowsUnmatched": profile.unmatched,
        "shareMatched": profile.matched / rows if rows else None,
        "shareUnmatched": profile.unmatched / rows if rows else None,
        "confidence": _confidence(profile.confidence) if profile.confidence else None,
    }


def _confidence(confidence: Confidence) -> dict[str, Any]:
    names = [f"p{round(share * 100):02}" for share in QUANTILES]
    return {
        "count": confidence.count,
        "min": confidence.minimum,
        "mean": confidence.mean,
        "max": confidence.maximum,
        "quantiles": dict(zip(names, confidence.quantiles, strict=False)),
        "histogram": list(confidence.histogram),
    }


_COMPARED = {
    "road_count": ROADS,
    "matched_share_exact": MATCHED_SHARE,
    "unmatched_share_exact": UNMATCHED_SHARE,
    "confidence_threshold": THRESHOLD,
}
"""Which statistic each check compares."""


def _statistics(facts: Facts, lines: tuple[CheckResult, ...]) -> dict[str, Any]:
    """GEM's figures as they came, ours beside them by the same names, and how they compare."""
    return {
        "gem": facts.job.statistics,
        "ours": _counted(facts),
        "compared": {
            name_of(facts.job, _COMPARED[line.name]): {
                "verdict": str(line.verdict),
                **({"detail": line.judgement.detail} if line.judgement.detail else {}),
            }
            for line in lines
            if line.name in _COMPARED
        },
    }


def _counted(facts: Facts) -> dict[str, Any]:
    """Each by rows and by ids, as far as known; shares are 0 to 1."""
    try:
        counted = count_roads(facts)
    except StatisticUnusable:
        return {}
    figures: dict[Statistic, Any] = {
        ROADS: {str(by): count for by, count in counted.roads.items()},
        MATCHED_SHARE: {str(by): float(share) for by, share in counted.matched.items()},
        UNMATCHED_SHARE: {str(by): float(share) for by, share in counted.unmatched.items()},
    }
    low = facts.profile.offenders.get(RowRule.CONFIDENCE_LOW) if facts.profile else None
    if low:
        figures[THRESHOLD] = {"rowsBelow": low.count}
    return {name_of(facts.job, statistic): figure for statistic, figure in figures.items()}


def _input(facts: Facts) -> dict[str, Any]:
    input_, values = facts.input, facts.values or ValueFacts()
    compared = bool(facts.ids and facts.ids.missing is not None)
    return {
        "name": input_.name,
        "rows": input_.rows,
        "columnsCompared": input_.columns is not None,
        "idsCompared": compared,
        "valuesCompared": bool(values.rows and not values.stopped),
        "differences": [
            {
                "column": name,
                "rows": found.count,
                "examples": [_example(example) for example in found.examples],
            }
            for name, found in values.columns.items()
        ],
        "note": input_.note or (facts.ids.not_compared if facts.ids else facts.ids_fault) or None,
        "bytesRead": input_.bytes_read,
        "requests": input_.requests,
    }


def _example(example: Example) -> dict[str, Any]:
    known = {"row": example.row, "id": example.id}
    return {key: value for key, value in known.items() if value is not None}
