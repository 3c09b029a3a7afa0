"""The arguments of `succession`. What runs it is imported when it runs."""

import argparse
from typing import Any

from gem_core.commands.options import (
    add_file_command,
    add_report_options,
    non_empty,
    non_empty_path,
    report_options,
)

_DESCRIPTION = """\
Show what became of the GERS ids between two runs of GEM over the same roads.

OLD and NEW are matched files, local or in Azure, as for `audit`. Their roads are joined by id, in
any order of rows. Ids that share roads are one group:

  same       one id, in both runs
  replaced   one old id, another new one
  split      one old id, several new ones
  merged     several old ids, one new one
  regrouped  several old ids, several new ones
  dropped    an old id; no road of it has a match in the new run
  gained     a new id; no road of it had a match in the old run

Two files cannot show that an id is retired: it may live on under roads that are not in them.
"""
_EPILOG = """\
exit codes:
  0  compared
  2  failed: a file cannot be read, or is not a matched file; a limit was reached; or the pairs
     could not be written
  3  compared, and the result was printed, but the page for --html could not be made or written
  130, 143  stopped with Ctrl-C, or with SIGTERM
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_file_command(
        commands,
        "succession",
        about="compare the GERS ids of two runs over the same roads",
        description=_DESCRIPTION,
        run=_run,
        epilog=_EPILOG,
    )
    for name, which in (("old", "earlier"), ("new", "later")):
        parser.add_argument(
            name,
            metavar=name.upper(),
            type=non_empty,
            help=f"the matched file of the {which} run, or its address",
        )
    parser.add_argument(
        "--pairs",
        metavar="FILE.parquet",
        type=non_empty_path,
        help="write each pair of an old and a new id, with its kind, its group and its roads",
    )
    add_report_options(
        parser,
        page="write the result as an HTML page, with a map if a file has the geometry",
        disk_mib=4096,
        disk="disk in MiB that the comparison may use; ten million roads need about 1000",
    )


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_succession import Request, run  # noqa: PLC0415 - slow

    return run(Request(arguments.old, arguments.new, arguments.pairs, report_options(arguments)))
