"""The arguments of `ids`. What runs it is imported when it runs."""

import argparse
from typing import Any

from gem_core.commands.audit import add_overture
from gem_core.commands.options import add_file_command, non_empty

_DESCRIPTION = """\
Look up the GERS ids of a matched file in an Overture release. For each id the command says
whether it is alive in the release, and whether it is the id of a road segment. It also says whether
that segment is where the road is.

The command reads the changelog of the release, without signing in. It begins with the parts near
the roads. For ids that are not there, it reads the registry and other parts. It needs nothing else
from the internet.
"""
_EPILOG = """\
exit codes:
  0  every id is alive, a segment, and in place
  1  some ids are not
  2  failed: this is not known for every id, or the file could not be read
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_file_command(
        commands,
        "ids",
        about="look up the GERS ids of a matched file in an Overture release",
        description=_DESCRIPTION,
        run=_run,
        epilog=_EPILOG,
    )
    parser.add_argument("output", metavar="FILE|URL", type=non_empty, help="the matched file")
    parser.add_argument(
        "--release",
        metavar="RELEASE",
        type=non_empty,
        required=True,
        help="the Overture release of the job, such as 2026-01-21.0",
    )
    add_overture(parser, required=True)
    parser.add_argument("--json", action="store_true", help="print the three checks as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_audit import AuditRequest  # noqa: PLC0415 - slow
    from gem_core.commands.run_ids import run  # noqa: PLC0415 - slow

    request = AuditRequest(
        output=arguments.output,
        overture=arguments.overture,
        overture_max_mib=arguments.overture_max,
        release=arguments.release,
    )
    return run(request, as_json=arguments.json)
