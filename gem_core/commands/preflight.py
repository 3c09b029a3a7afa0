"""The arguments of `preflight`. What runs it is imported when it runs."""

import argparse
from typing import Any

from gem_core.commands.options import (
    add_file_command,
    add_report_options,
    non_empty,
    report_options,
)
from gem_core.gem.contracts.known import CONTRACTS, DEFAULT

_DESCRIPTION = """\
Check a file of roads before you send it to GEM: its columns, ids, geometries and coordinates. The
rules are those of TomTom's pages. The command also says the name of the output, and how many hours
GEM may take. It sends nothing to GEM.

FILE|URL is a local file or the https address of an Azure blob, as for `audit`.
"""
_EPILOG = """\
exit codes:
  0  valid, with or without warnings
  1  invalid: at least one check with severity error failed
  2  failed: the file could not be read or judged, or the report could not be printed
  3  judged, and the report was printed, but the page for --html could not be made or written
  130, 143  stopped with Ctrl-C, or with SIGTERM
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_file_command(
        commands,
        "preflight",
        about="check a file of roads before you send it to GEM",
        description=_DESCRIPTION,
        run=_run,
        epilog=_EPILOG,
    )
    parser.add_argument("input", metavar="FILE|URL", type=non_empty, help="the file of roads")
    parser.add_argument(
        "--contract",
        choices=[*CONTRACTS],
        default=DEFAULT.name,
        help="use the rules of this generation of GEM's pages (%(default)s)",
    )
    add_report_options(
        parser,
        page="write the report as an HTML page with a map",
        disk_mib=512,
        disk="disk in MiB for ids out of order; if they need more, they are not counted",
        folder="these ids",
    )


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_preflight import Request, run  # noqa: PLC0415 - slow

    return run(Request(arguments.input, arguments.contract, report_options(arguments)))
