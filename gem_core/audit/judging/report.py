"""The judged facts of one output, and their JSON as the manifest and the report carry it. Pure."""

from dataclasses import dataclass
from typing import Any

from gem_core.audit.against_input.values import ValueFacts
from gem_core.audit.judging.checks import CHECKS, Severity
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.job_statistics import (
    MATCHED_SHARE,
    ROADS,
    THRESHOLD,
    UNMATCHED_SHARE,
    StatisticUnusable,
    count_roads,
)
from gem_core.audit.judging.verdict import Judgement, Verdict
from gem_core.audit.rows.confidence import QUANTILES, Confidence
from gem_core.audit.rows.example import Example
from gem_core.audit.rows.row_rules import RowRule
from gem_core.outcome import Outcome

RULESET = "2"
"""Version of the rules. A change of a check's name, severity or meaning makes a new one."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of a report."""

    name: str
    severity: Severity
    title: str
    judgement: Judgement

    @property
    def verdict(self) -> Verdict:
        """How the check ended."""
        return self.judgement.verdict

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; what there is nothing to say of is left out."""
        found = self.judgement
        line: dict[str, Any] = {
            "name": self.name,
            "severity": str(self.severity),
            "verdict": str(found.verdict),
            "title": self.title,
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


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found."""

    outcome: Outcome
    """VALID, VALID_WITH_WARNINGS or INVALID."""
    checks: tuple[CheckResult, ...]
    """Every check, run or not, in the order of `CHECKS`."""
    facts: Facts
    bytes_read: int
    """Of the output."""
    requests: int
    """For the output, without the one that opened it."""
    ruleset: str = RULESET

    @property
    def threads(self) -> int:
        """In which columns were decoded; two only in a large file, on two processors."""
        return 2 if self.facts.decoded_apart else 1

    @property
    def rows(self) -> int | None:
        """As the footer says; None when it could not be read."""
        return self.facts.opened.rows if self.facts.opened else None

    @property
    def share_matched(self) -> float | None:
        """Of the rows, 0 to 1; None when nothing is known of matches, or there are no rows."""
        profile = self.facts.profile
        if not profile or profile.matched is None or not profile.rows:
            return None
        return profile.matched / profile.rows

    @property
    def kept_back(self) -> str:
        """The trouble with the input's storage or our disk that kept checks back, or empty.

        It may pass: another audit of the same output may find more.
        """
        facts = self.facts
        if facts.ids_fault or not facts.given.lost:
            return facts.ids_fault
        of_ids = facts.ids.not_compared if facts.ids else ""
        of_values = facts.values.stopped if facts.values else ""
        return facts.given.note or of_ids or of_values

    def failed(self) -> frozenset[str]:
        """Names of the checks that failed, whatever their severity."""
        return frozenset(line.name for line in self.checks if line.verdict is Verdict.FAILED)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with camelCase keys: no NaN, no infinities."""
        return {
            "ruleset": self.ruleset,
            "outcome": str(self.outcome),
            "output": _output(self.facts),
            "match": _match(self.facts),
            "statistics": _statistics(self.facts, self.checks),
            "input": _given(self.facts),
            "checks": [line.to_json() for line in self.checks],
            "reading": {
                "bytesRead": self.bytes_read,
                "requests": self.requests,
                "threads": self.threads,
            },
        }


def judge(facts: Facts, *, bytes_read: int, requests: int) -> Report:
    """Run every check over the facts."""
    lines = tuple(
        CheckResult(check.name, check.severity, check.title, check.judge(facts)) for check in CHECKS
    )
    severities = {line.severity for line in lines if line.verdict is Verdict.FAILED}
    if Severity.ERROR in severities:
        outcome = Outcome.INVALID
    elif Severity.WARNING in severities:
        outcome = Outcome.VALID_WITH_WARNINGS
    else:
        outcome = Outcome.VALID
    return Report(outcome, lines, facts, bytes_read, requests)


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
    ROADS: ROADS,
    MATCHED_SHARE: "roads_matched_exact",
    UNMATCHED_SHARE: "roads_unmatched_exact",
    THRESHOLD: "confidence_threshold",
}
"""Which check compares which statistic."""


def _statistics(facts: Facts, lines: tuple[CheckResult, ...]) -> dict[str, Any]:
    """GEM's figures as they came, ours beside them by the same names, and how they compare."""
    found = {line.name: line.judgement for line in lines}
    return {
        "gem": facts.job.statistics,
        "ours": _ours(facts),
        "compared": {
            statistic: {
                "verdict": str(found[check].verdict),
                **({"detail": found[check].detail} if found[check].detail else {}),
            }
            for statistic, check in _COMPARED.items()
        },
    }


def _ours(facts: Facts) -> dict[str, Any]:
    """Each by rows and by ids, as far as known; shares are 0 to 1."""
    try:
        counted = count_roads(facts)
    except StatisticUnusable:
        return {}
    figures: dict[str, Any] = {
        ROADS: {str(by): count for by, count in counted.roads.items()},
        MATCHED_SHARE: {str(by): float(share) for by, share in counted.matched.items()},
        UNMATCHED_SHARE: {str(by): float(share) for by, share in counted.unmatched.items()},
    }
    low = facts.profile.offenders.get(RowRule.CONFIDENCE_LOW) if facts.profile else None
    if low:
        figures[THRESHOLD] = {"rowsBelow": low.count}
    return figures


def _given(facts: Facts) -> dict[str, Any]:
    given, values = facts.given, facts.values or ValueFacts()
    compared = bool(facts.ids and facts.ids.missing is not None)
    return {
        "name": given.name,
        "rows": given.rows,
        "columnsCompared": given.columns is not None,
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
        "note": given.note or (facts.ids.not_compared if facts.ids else facts.ids_fault) or None,
        "bytesRead": given.bytes_read,
        "requests": given.requests,
    }


def _example(example: Example) -> dict[str, Any]:
    known = {"row": example.row, "id": example.id}
    return {key: value for key, value in known.items() if value is not None}
