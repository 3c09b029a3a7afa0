"""A report as plain JSON: the parts of a manifest that come from an audit. Pure.

`docs/manifest.schema.json` describes every member.
"""

from collections import Counter
from itertools import islice
from typing import Any

from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.judging.check import Missing
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.parts import roads
from gem_core.audit.judging.report import CheckResult, Report
from gem_core.audit.judging.ruleset import COUNTS, RULESET
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.rows.confidence import QUANTILES, Confidence
from gem_core.audit.rows.example import EXAMPLES, Example
from gem_core.audit.rows.row_rules import RowRule
from gem_core.gem.contracts.layout import Scale

_ROLES = {
    "road_count": "roads",
    "matched_share_exact": "matchedShare",
    "unmatched_share_exact": "unmatchedShare",
    "confidence_threshold": "confidenceThreshold",
}
"""Each check that compares a statistic of the job with the output, and the statistic's role."""


MAX_COLUMNS = 1_000
"""Columns of the output that are listed at most. All of them are counted."""

MAX_DIFFERENCES = 100
"""Columns with other values than in the input that are listed at most. All of them are counted."""

_MAX_TEXT = 200
"""Characters of a column's name or type, which a file may make as long as its footer."""


def report_to_json(report: Report) -> dict[str, Any]:
    """Plain JSON with camelCase keys: no NaN, no infinities."""
    facts = report.facts
    return {
        "outcome": str(report.outcome),
        "output": _output(facts),
        "input": _input(facts),
        "match": _match(facts),
        "statistics": _statistics(facts, report.checks),
        "checks": checks_to_json(report.checks, complete=report.complete),
        "drift": list(report.drift),
        "reading": {
            "bytesRead": report.bytes_read,
            "requests": report.requests,
            "threads": report.threads,
        },
    }


def checks_to_json(
    results: tuple[CheckResult, ...], *, complete: bool, ruleset: str = RULESET
) -> dict[str, Any]:
    """The results of all checks."""
    asked = [result for result in results if result.judgement.is_asked]
    return {
        "ruleset": ruleset,
        "complete": complete,
        "counts": _counts(results),
        "notPassed": [_check(result) for result in asked if result.verdict is not Verdict.PASSED],
        "all": [_check(result) for result in results],
    }


def _counts(results: tuple[CheckResult, ...]) -> dict[str, int]:
    return dict.fromkeys(COUNTS, 0) | Counter(map(_counted_as, results))


def _counted_as(result: CheckResult) -> str:
    match result.verdict:
        case Verdict.PASSED:
            return "passed"
        case Verdict.FAILED:
            return f"failed{result.severity.title()}"
        case Verdict.NOT_RUN:
            return "notRun" if result.judgement.is_asked else "notAsked"


def _check(result: CheckResult) -> dict[str, Any]:
    """One result, without the members that have nothing to say."""
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
        line["examples"] = [_example(example) for example in found.examples[:EXAMPLES]]
    return line


def _output(facts: Facts) -> dict[str, Any]:
    opened = facts.opened
    promises = facts.promises
    return {
        "layout": promises.layout.name if promises else None,
        "bytes": facts.size_bytes,
        "rows": opened.rows if opened else None,
        "rowGroups": opened.row_groups if opened else None,
        "columnCount": len(opened.schema) if opened else None,
        "columns": [
            {"name": field.name[:_MAX_TEXT], "type": str(field.type)[:_MAX_TEXT]}
            for field in islice(opened.schema, MAX_COLUMNS)
        ]
        if opened
        else None,
    }


def _input(facts: Facts) -> dict[str, Any]:
    input_, values = facts.input, facts.values or ValueFacts()
    return {
        "name": input_.name,
        "rows": input_.rows,
        "columnsCompared": input_.columns is not None,
        "idsCompared": bool(facts.ids and facts.ids.missing is not None),
        "valuesCompared": bool(values.rows and not values.stopped),
        "differenceCount": len(values.columns),
        "differences": [
            {
                "column": name[:_MAX_TEXT],
                "rows": found.count,
                "examples": [_example(example) for example in found.examples[:EXAMPLES]],
            }
            for name, found in islice(values.columns.items(), MAX_DIFFERENCES)
        ],
        "note": input_.note or (facts.ids.not_compared if facts.ids else facts.ids_fault) or None,
        "bytesRead": input_.bytes_read,
        "requests": input_.requests,
    }


def _match(facts: Facts) -> dict[str, Any] | None:
    """None when the rows were not read to the end."""
    profile = facts.profile
    if not profile:
        return None
    return {
        "matches": profile.matched,
        "rowsWithoutMatch": profile.unmatched,
        "roads": _roads(facts),
        "confidence": _confidence(profile.confidence, profile.scale)
        if profile.confidence
        else None,
    }


def _roads(facts: Facts) -> dict[str, Any]:
    """Distinct ids. A road with at least one match is a matched road."""
    ids, profile = facts.ids, facts.profile
    matched = ids.distinct_matched if ids and profile and profile.matched is not None else None
    total: int | None = None
    try:
        total, of_total = roads(facts)
        matched = None if matched is None else of_total
    except Missing:
        pass
    unmatched = None if total is None or matched is None else total - matched
    return {
        "total": total,
        "matched": matched,
        "unmatched": unmatched,
        "shareMatched": _share(matched, total),
        "shareUnmatched": _share(unmatched, total),
    }


def _share(part: int | None, whole: int | None) -> float | None:
    """0 to 1; None when one of the two is unknown, or there is nothing to take a share of."""
    return part / whole if part is not None and whole else None


def _confidence(confidence: Confidence, scale: Scale) -> dict[str, Any]:
    """All figures are 0 to 1; `scale` says what the file has."""
    names = [f"p{round(share * 100):02}" for share in QUANTILES]
    return {
        "scale": scale,
        "count": confidence.count,
        "min": confidence.minimum,
        "mean": confidence.mean,
        "max": confidence.maximum,
        "quantiles": dict(zip(names, confidence.quantiles, strict=False)),
        "histogram": list(confidence.histogram),
    }


def _statistics(facts: Facts, results: tuple[CheckResult, ...]) -> dict[str, Any]:
    """GEM's figures as received, the figures of the output, and how they compare."""
    return {
        "reported": facts.job.statistics,
        "counted": _counted(facts),
        "compared": {
            _ROLES[result.name]: {
                "verdict": str(result.verdict),
                **({"detail": result.judgement.detail} if result.judgement.detail else {}),
            }
            for result in results
            if result.name in _ROLES
        },
    }


def _counted(facts: Facts) -> dict[str, Any]:
    """Each figure by rows and by distinct ids, since nothing says that a road has one row."""
    profile, roads = facts.profile, _roads(facts)
    promises = facts.promises
    per_road = profile and promises and not promises.layout.row_per_match
    rows = profile.rows if profile and per_road else None
    low = profile.offenders.get(RowRule.CONFIDENCE_THRESHOLD) if profile else None
    return {
        "roads": {"rows": rows, "ids": roads["total"]},
        "matchedShare": {
            "rows": _share(profile.matched, rows) if profile and per_road else None,
            "ids": roads["shareMatched"],
        },
        "unmatchedShare": {
            "rows": _share(profile.unmatched, rows) if profile and per_road else None,
            "ids": roads["shareUnmatched"],
        },
        "rowsBelowThreshold": low.count if low else None,
    }


def _example(example: Example) -> dict[str, Any]:
    known = {
        "row": example.row,
        "id": example.id,
        "column": example.column[:_MAX_TEXT] if example.column else None,
        "value": example.value,
        "inputValue": example.input_value,
    }
    return {key: value for key, value in known.items() if value is not None}
