"""The arguments of `preflight`. What runs it is imported when it runs."""

import argparse
from typing import Any

from gem_core.commands.help_format import HelpFormat
from gem_core.commands.options import count, non_empty, non_empty_path
from gem_core.gem.contracts.known import CONTRACTS, DEFAULT
from gem_core.settings.app_settings import MAX_IDS_DISK_MIB

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
    parser = commands.add_parser(
        "preflight",
        help="check a file of roads before you send it to GEM",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=HelpFormat,
    )
    parser.add_argument("input", metavar="FILE|URL", type=non_empty, help="the file of roads")
    parser.add_argument(
        "--contract",
        choices=[*CONTRACTS],
        default=DEFAULT.name,
        help="use the rules of this generation of GEM's pages (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=non_empty_path,
        help="write the report as an HTML page with a map",
    )
    parser.add_argument(
        "--disk",
        metavar="MIB",
        type=count(MAX_IDS_DISK_MIB),
        default=512,
        help="disk in MiB for ids out of order; if they need more, they are not counted "
        "(%(default)s)",
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        type=non_empty_path,
        help="folder for these ids (the system's temporary directory)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_preflight import Request, run  # noqa: PLC0415 - slow

    return run(
        Request(
            input=arguments.input,
            contract=arguments.contract,
            as_json=arguments.json,
            html=arguments.html,
            disk_mib=arguments.disk,
            folder=arguments.folder,
        )
    )
