"""Runs the command `ids`: an audit, of which it prints the checks of ids in Overture. Edge."""

from collections.abc import Mapping
from typing import Any

from gem_core.commands.exit_codes import COULD_NOT, DONE, NOT_SO
from gem_core.commands.report_text import check_line
from gem_core.commands.run_audit import AuditRequest, audited
from gem_core.commands.terminal import print_json, print_lines

_CHECKS = ("gers_alive", "gers_type", "gers_in_place")


def run(request: AuditRequest, *, as_json: bool) -> int:
    """Look the ids up, print what was found, and return the exit code. Raises CourierError."""
    _, result = audited(request)
    lines = [line for line in result.report["checks"]["all"] if line["name"] in _CHECKS]
    if as_json:
        print_json({"release": request.release, "checks": lines})
    else:
        print_lines(map(check_line, lines))
    return _exit_code(lines)


def _exit_code(lines: list[Mapping[str, Any]]) -> int:
    verdicts = {line["verdict"] for line in lines}
    if "not_run" in verdicts:
        return COULD_NOT
    return NOT_SO if "failed" in verdicts else DONE
