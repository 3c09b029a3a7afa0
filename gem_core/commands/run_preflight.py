"""Runs the command `preflight`. Edge: terminal, files."""

import sys
from dataclasses import dataclass

from gem_core.audit.options import IdLimits
from gem_core.commands.exit_codes import INVALID, NO_PAGE, UNKNOWN, VALID
from gem_core.commands.memory import limit_memory, shortage_explained
from gem_core.commands.open_source import open_source
from gem_core.commands.options import ReportOptions
from gem_core.commands.page_file import check_report, write_page
from gem_core.commands.preflight_text import preflight_lines
from gem_core.commands.progress import ProgressLine
from gem_core.commands.terminal import print_json, print_lines
from gem_core.gem.contracts.known import CONTRACTS
from gem_core.outcome import Outcome
from gem_core.preflight.page import draw_preflight
from gem_core.preflight.preflight import preflight
from gem_core.preflight.road_report import road_report_to_json
from gem_core.wiring.environment import now

_CODES = {Outcome.INVALID: INVALID, Outcome.NOT_AUDITED: UNKNOWN}


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of the command."""

    input: str
    """File or address."""
    contract: str
    report: ReportOptions


def run(request: Request) -> int:
    """Judge the file, print the report, write the page. Returns the exit code.

    Raises:
        CourierError: the file cannot be read; the message gives the reason.

    """
    options = request.report
    check_report(options, [request.input])
    source = open_source(request.input)
    limits = IdLimits(folder=options.folder, disk_bytes=options.disk_mib << 20)
    limit_memory()
    with shortage_explained(), ProgressLine(sys.stderr) as progress:
        report = preflight(
            source, CONTRACTS[request.contract], limits=limits, on_rows=progress.rows
        )
    found = road_report_to_json(report)
    if options.as_json:
        print_json(found)
    else:
        print_lines(preflight_lines(found))
    if options.html and not write_page(options.html, lambda: draw_preflight(report, found, now())):
        return NO_PAGE
    return _CODES.get(report.outcome, VALID)
