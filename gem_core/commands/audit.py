"""`audit`: its arguments. The audit is imported when it runs, since pyarrow is slow to load."""

import argparse
from typing import Any

from gem_core.commands.options import named, named_path

_DESCRIPTION = """\
Audit a matched file: the same checks and the same report as the deployed app.

FILE|URL is a local file or the https address of an Azure blob. A blob is opened with the shared
access signature in its address, or else by Azure's default chain (az login, managed identity, ...).
A blob of an emulator on this machine is opened with the connection string in GEM_OUTPUT.
"""
_EPILOG = """\
exit codes:
  0  valid, also with warnings
  1  invalid: at least one promise is broken
  2  could not audit or judge, not print what was found, or not compare a valid file with --input
     as asked
  3  audited, and the report printed, but the page of --html could not be made
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "audit",
        help="audit a matched file, local or in Azure",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("output", metavar="FILE|URL", type=named, help="the matched file")
    parser.add_argument(
        "--input",
        metavar="FILE|URL",
        type=named,
        help="the file that was sent to GEM: compare columns and ids",
    )
    parser.add_argument(
        "--compare",
        choices=("ids", "columns"),
        default="ids",
        help="what of the input to compare: its ids, or every value of its columns too, which "
        "reads both files whole and in the same order of rows (%(default)s)",
    )
    parser.add_argument(
        "--job",
        metavar="DETAILS.json",
        type=named_path,
        help="GEM's answer about the job: compare names and statistics; a copy keeps its name",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=named_path,
        help="write the report as a page; reads the file twice",
    )
    parser.add_argument("--map", action="store_true", help="draw a sample of the roads into it")
    parser.add_argument(
        "--ids-memory",
        metavar="MIB",
        type=int,
        default=64,
        help="memory for ids that are out of order (%(default)s)",
    )
    parser.add_argument(
        "--ids-folder",
        metavar="FOLDER",
        type=named_path,
        help="for ids that do not fit into it (the system's temporary directory)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_audit import AuditRequest, run  # noqa: PLC0415 - imports pyarrow

    return run(
        AuditRequest(
            output=arguments.output,
            input=arguments.input,
            job=arguments.job,
            as_json=arguments.json,
            html=arguments.html,
            with_map=arguments.map,
            with_values=arguments.compare == "columns",
            ids_memory_mib=arguments.ids_memory,
            ids_folder=arguments.ids_folder,
        )
    )
