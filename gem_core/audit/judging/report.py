"""The judged facts of one output. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from gem_core.audit.judging.check import Check, Severity
from gem_core.audit.judging.checks import CHECKS, COMPARISONS
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.file_checks import (
    auditable,
    footer_not_encrypted,
    layout_known,
    layout_of_contract,
)
from gem_core.audit.judging.not_opened import NotOpened
from gem_core.audit.judging.ruleset import RULESET
from gem_core.audit.judging.statistics_checks import statistics_readable
from gem_core.audit.judging.verdict import Judgement, Verdict
from gem_core.outcome import Outcome


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


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found."""

    outcome: Outcome
    """VALID, VALID_WITH_WARNINGS, INVALID or NOT_AUDITED."""
    checks: tuple[CheckResult, ...]
    """Every check, run or not, in the order of `CHECKS`."""
    facts: Facts
    bytes_read: int
    """Of the output."""
    requests: int
    """For the output, without the one that opened it."""
    ruleset: str = RULESET

    @property
    def complete(self) -> bool:
        """Whether every check of severity error ran, except for those that nobody asked for."""
        return is_complete(self.checks)

    @property
    def threads(self) -> int:
        """How many threads decoded columns: two only for a large file, on two processors."""
        return 2 if self.facts.decoded_apart else 1

    @property
    def rows(self) -> int | None:
        """As the footer states; None when it could not be read."""
        return self.facts.opened.rows if self.facts.opened else None

    @property
    def share_matched(self) -> float | None:
        """Share of the rows, 0 to 1; None when rows have no status, or there are no rows."""
        profile, promises = self.facts.profile, self.facts.promises
        if promises and promises.layout.row_per_match:
            return None
        if not profile or profile.matched is None or not profile.rows:
            return None
        return profile.matched / profile.rows

    @property
    def drift(self) -> tuple[str, ...]:
        """Where the answer's figures or the output depart from the answer's contract."""
        return tuple(
            line.judgement.detail
            for line in self.checks
            if line.name in _DRIFT and line.verdict is Verdict.FAILED
        )

    @property
    def temporary_problem(self) -> str:
        """Why checks did not run because of the input's storage or our disk, or empty.

        Such trouble may pass: another audit of the same output may find more.
        """
        facts = self.facts
        if facts.ids_fault or not facts.input.lost:
            return facts.ids_fault
        of_ids = facts.ids.not_compared if facts.ids else ""
        of_values = facts.values.stopped if facts.values else ""
        return facts.input.note or of_ids or of_values

    @property
    def over_limit(self) -> str:
        """Which limit of ours kept checks of ids from running, or empty.

        Another audit with a higher limit may find more.
        """
        return self.facts.ids.over_limit if self.facts.ids else ""

    @property
    def not_looked_up(self) -> str:
        """Why the look-up of GERS ids was asked for but is not complete. Empty if it is complete,
        or if another audit would find no more.
        """
        return self.facts.overture.incomplete if self.facts.overture else ""

    @property
    def not_compared(self) -> tuple[str, ...]:
        """Why comparisons with the input that were asked for did not run; each reason once."""
        reasons = (
            line.judgement.detail
            for line in self.checks
            if line.name in COMPARISONS
            and line.verdict is Verdict.NOT_RUN
            and line.judgement.is_asked
        )
        return tuple(dict.fromkeys(reasons))

    @property
    def is_read(self) -> bool:
        """Whether the output was opened, and the app can read all columns of the checks."""
        return not isinstance(self.facts.file, NotOpened) and self.failed().isdisjoint(_OF_READING)

    def failed(self) -> frozenset[str]:
        """Names of the checks that failed, whatever their severity."""
        return frozenset(line.name for line in self.checks if line.verdict is Verdict.FAILED)


def judge(facts: Facts, *, bytes_read: int, requests: int) -> Report:
    """Run every check over the facts."""
    lines = run_checks(CHECKS, facts)
    return Report(outcome_of(lines, _OF_THE_APP), lines, facts, bytes_read, requests)


def run_checks[F](checks: Sequence[Check[F]], facts: F) -> tuple[CheckResult, ...]:
    """The results of these checks, in their order."""
    return tuple(
        CheckResult(check.name, check.severity, check.title, check.run(facts)) for check in checks
    )


def is_complete(lines: Iterable[CheckResult]) -> bool:
    """Whether every check of severity error ran, except for those that nobody asked for."""
    return not any(
        line.verdict is Verdict.NOT_RUN and line.judgement.is_asked
        for line in lines
        if line.severity is Severity.ERROR
    )


_DRIFT = {layout_of_contract.name, statistics_readable.name}
"""Checks that compare with the contract of GEM's answer."""

_OF_READING = {auditable.name, footer_not_encrypted.name}
"""Checks that fail when the app cannot read what it has to judge."""

_OF_THE_APP = _OF_READING | {layout_known.name}
"""Checks that fail for a limit of the app, which says nothing about the output."""


def outcome_of(lines: Iterable[CheckResult], of_the_app: Collection[str]) -> Outcome:
    """The outcome. Checks `of_the_app` fail for a limit of the app."""
    failed = [line for line in lines if line.verdict is Verdict.FAILED]
    errors = {line.name for line in failed if line.severity is Severity.ERROR}
    if errors:
        return Outcome.NOT_AUDITED if errors <= {*of_the_app} else Outcome.INVALID
    has_warning = any(line.severity is Severity.WARNING for line in failed)
    return Outcome.VALID_WITH_WARNINGS if has_warning else Outcome.VALID
