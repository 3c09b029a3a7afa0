"""The story of the command `doctor`. Edge: terminal."""

import sys

from gem_core.commands.exit_codes import DONE, NOT_SO
from gem_core.commands.progress import ProgressLine
from gem_core.commands.table import plain
from gem_core.commands.terminal import say, say_json
from gem_core.doctor.diagnostics import DIAGNOSTICS, Diagnostic, report, run_diagnostics
from gem_core.doctor.finding import DiagnosticStatus, Finding
from gem_core.wiring.doctor import installation

_NAME = max(len(check.name) for check in DIAGNOSTICS)
_VERDICT = max(map(len, DiagnosticStatus))


def run(source: str, *, as_json: bool) -> int:
    """Look at everything; tell of each as it is done. Gives the exit code."""
    found = []
    with ProgressLine(sys.stderr) as progress:
        progress.say("looking")
        for check, finding in run_diagnostics(installation(source)):
            found.append((check, finding))
            if not as_json:
                progress.wipe()
                say([line(check, finding)])
                progress.say("looking")
    whole = report(found)
    if as_json:
        say_json(whole)
    return DONE if whole["ok"] else NOT_SO


def line(check: Diagnostic, finding: Finding) -> str:
    """One finding as one line."""
    text = f"{finding.status:<{_VERDICT}}  {check.name:<{_NAME}}  {finding.detail}"
    return plain(f"{text} -> {finding.remedy}" if finding.remedy else text)
