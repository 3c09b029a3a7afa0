"""An audit report as lines for a terminal. Pure."""

from gem_core.audit.judging.checks import Severity
from gem_core.audit.judging.report import CheckResult, Report
from gem_core.audit.judging.verdict import Verdict
from gem_core.audit.reading.source import Source
from gem_core.audit.rows.example import Example
from gem_core.commands.table import plain
from gem_core.page.words import percent

_EXAMPLES = 3
"""Maximum number of examples in the line of a check."""


def report_lines(report: Report, output: Source, *, with_job: bool) -> list[str]:
    """The outcome, a line for each check that did not pass, and the counts.

    Checks that were not requested are only counted. No text of a file can control the terminal.

    Args:
        report: the result of the audit.
        output: the audited file.
        with_job: whether GEM's answer about the job was part of the audit.

    """
    order = [*Severity]
    failed = [line for line in report.checks if line.verdict is Verdict.FAILED]
    found = [_failed(line) for line in sorted(failed, key=lambda line: order.index(line.severity))]
    not_run = [
        line
        for line in report.checks
        if line.verdict is Verdict.NOT_RUN and line.judgement.is_asked
    ]
    found += [f"not run  {line.name}: {line.judgement.detail}" for line in not_run]
    lines = [f"{report.outcome}: {output.name}", *(["", *found] if found else [])]
    lines += ["", _counts(report, failed, not_run), *_rows(report)]
    lines.append(f"etag {output.etag}, ruleset {report.ruleset}")
    if not with_job:
        lines.append("without --job: the job's names and statistics were not compared")
    return [plain(line) for line in lines]


def _failed(line: CheckResult) -> str:
    found = line.judgement
    text = f"{line.severity:<8} {line.name}: {found.detail}"
    if found.examples:
        more = "; ..." if (found.offending or 0) > _EXAMPLES else ""
        text += f" ({'; '.join(map(_example, found.examples[:_EXAMPLES]))}{more})"
    return f"{text} - {line.title}"


def _example(example: Example) -> str:
    row = f"row {example.row}" if example.row is not None else ""
    return " ".join(part for part in (row, f"id {example.id}" if example.id else "") if part)


def _counts(report: Report, failed: list[CheckResult], not_run: list[CheckResult]) -> str:
    by_severity = ", ".join(
        f"{sum(line.severity is severity for line in failed)} {severity}" for severity in Severity
    )
    not_asked = sum(not line.judgement.is_asked for line in report.checks)
    passed = len(report.checks) - len(failed) - len(not_run) - not_asked
    return (
        f"{len(report.checks)} checks: {passed} passed, {len(failed)} failed ({by_severity}), "
        f"{len(not_run)} not run" + (f", {not_asked} not requested" if not_asked else "")
    )


def _rows(report: Report) -> list[str]:
    lines = []
    profile = report.facts.profile
    if profile and profile.rows and profile.matched is not None and profile.unmatched is not None:
        lines.append(
            f"{profile.rows:,} rows: {profile.matched:,} matched "
            f"({percent(profile.matched / profile.rows)}), {profile.unmatched:,} unmatched "
            f"({percent(profile.unmatched / profile.rows)})"
        )
    if report.facts.input.rows is not None:
        lines.append(f"input: {report.facts.input.rows:,} rows")
    lines.append(
        f"read {report.bytes_read:,} of {report.facts.size_bytes or 0:,} bytes in "
        f"{report.requests} requests"
        + (", decoded in two threads" if report.facts.decoded_apart else "")
    )
    return lines
