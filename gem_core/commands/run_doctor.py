"""Runs the command `doctor`. Edge: terminal."""

import sys

from gem_core.commands.exit_codes import DONE, NOT_SO
from gem_core.commands.progress import ProgressLine
from gem_core.commands.table import plain, wrapped
from gem_core.commands.terminal import print_json, print_lines, terminal_width
from gem_core.doctor.diagnostics import DIAGNOSTICS, Diagnostic, report, run_diagnostics
from gem_core.doctor.finding import DiagnosticStatus, Finding
from gem_core.wiring.doctor import installation

_NAME = max(len(diagnostic.name) for diagnostic in DIAGNOSTICS)
_STATUS = max(map(len, DiagnosticStatus))
_DETAIL = _STATUS + _NAME + 4
"""Where the text of a finding begins in its line."""


def run(source: str, *, as_json: bool) -> int:
    """Run all diagnostics and print each finding as soon as it is known. Returns the exit code.

    Args:
        source: where the settings were read from, for example "the environment".
        as_json: print one JSON report at the end instead.

    """
    findings = []
    with ProgressLine(sys.stderr) as progress:
        progress.show("running diagnostics")
        for diagnostic, finding in run_diagnostics(installation(source)):
            findings.append((diagnostic, finding))
            if not as_json:
                progress.erase()
                print_lines(wrapped(line(diagnostic, finding), terminal_width(), indent=_DETAIL))
                progress.show("running diagnostics")
    result = report(findings)
    if as_json:
        print_json(result)
    return DONE if result["ok"] else NOT_SO


def line(diagnostic: Diagnostic, finding: Finding) -> str:
    """A finding as one line of text."""
    text = f"{finding.status:<{_STATUS}}  {diagnostic.name:<{_NAME}}  {finding.detail}"
    return plain(f"{text} -> {finding.remedy}" if finding.remedy else text)
