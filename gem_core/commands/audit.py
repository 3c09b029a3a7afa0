"""The arguments of `audit`. What runs it is imported when it runs."""

import argparse
from typing import Any

from gem_core.audit.options import OVERTURE_BYTES
from gem_core.commands.options import add_file_command, count, non_empty, non_empty_path
from gem_core.settings.app_settings import (
    MAX_FAILING_ROWS,
    MAX_IDS_DISK_MIB,
    MAX_IDS_MIB,
    MAX_OVERTURE_MIB,
)

_DESCRIPTION = """\
Audit a matched file. The checks and the report are the same as in the deployed app.

FILE|URL is a local file or the https address of an Azure blob. A blob is opened with the shared
access signature in its address. Without a signature, Azure's default credential chain is used
(az login, managed identity, ...). A blob of an emulator on this machine is opened with the
connection string in GEM_OUTPUT.

As in the app, a child process audits the file, with limits on its memory and CPU time. The command
needs Linux or macOS.
"""
_EPILOG = """\
exit codes:
  0  valid, with or without warnings
  1  invalid: at least one check with severity error failed
  2  failed: there is no verdict, or it cannot be relied on. The file could not be audited or
     judged, a valid file could not be compared with --input, or the report could not be printed
  3  audited, and the report was printed, but the page for --html could not be made or written
  130, 143  stopped with Ctrl-C, or with SIGTERM
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_file_command(
        commands,
        "audit",
        about="audit a matched file, local or in Azure",
        description=_DESCRIPTION,
        run=_run,
        epilog=_EPILOG,
    )
    parser.add_argument("output", metavar="FILE|URL", type=non_empty, help="the matched file")
    _add_comparisons(parser)
    _add_overture(parser)
    _add_report_options(parser)
    _add_limits(parser)


def _add_comparisons(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input",
        metavar="FILE|URL",
        type=non_empty,
        help="the file that was sent to GEM: compare its columns and ids with the output",
    )
    parser.add_argument(
        "--compare",
        choices=("ids", "columns"),
        default="ids",
        help="what to compare with the input: ids, or columns (also every value). columns reads "
        "both files completely, and needs the same order of rows in both (%(default)s)",
    )
    parser.add_argument(
        "--job",
        metavar="DETAILS.json",
        type=non_empty_path,
        help="GEM's answer about the job, as JSON: compare its names and statistics with the "
        "output. A copy of the output must keep its file name",
    )


def _add_overture(parser: argparse.ArgumentParser) -> None:
    add_overture(parser, required=False)
    parser.add_argument(
        "--release",
        metavar="RELEASE",
        type=non_empty,
        help="the Overture release to look into, such as 2026-01-21.0 (that of --job)",
    )


def add_overture(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add where Overture lies, and how much of it may be read."""
    parser.add_argument(
        "--overture",
        metavar="URL|FOLDER",
        type=non_empty,
        required=required,
        help="look the GERS ids up in Overture's changelog: https://overturemapswestus2.blob.core."
        "windows.net, or a copy of its containers",
    )
    parser.add_argument(
        "--overture-max",
        metavar="MIB",
        type=count(MAX_OVERTURE_MIB),
        default=OVERTURE_BYTES >> 20,
        help="how many MiB of Overture to read at most; ids that need more are reported as not "
        "known (%(default)s)",
    )


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    text = parser.add_mutually_exclusive_group()
    text.add_argument("--json", action="store_true", help="print the report as JSON")
    text.add_argument(
        "--all", action="store_true", help="also list the checks that were not run, and why"
    )
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=non_empty_path,
        help="write the report as an HTML page; reads the file twice",
    )
    parser.add_argument(
        "--failures",
        metavar="FILE.parquet",
        type=non_empty_path,
        help=f"write failing rows with check, id and value: the first {MAX_FAILING_ROWS:,} of each "
        "check that tests rows, and the first 5 ids that are missing or added",
    )
    parser.add_argument(
        "--map",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="draw a map with a sample of the roads on the page (default: yes)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ids-memory",
        metavar="MIB",
        type=count(MAX_IDS_MIB),
        default=64,
        help="memory in MiB for ids that are out of order (%(default)s)",
    )
    parser.add_argument(
        "--ids-folder",
        metavar="FOLDER",
        type=non_empty_path,
        help="folder for ids that do not fit into that memory (the system's temporary directory)",
    )
    parser.add_argument(
        "--ids-disk",
        metavar="MIB",
        type=count(MAX_IDS_DISK_MIB),
        default=512,
        help="disk in MiB for these ids; if they need more, they are not counted (%(default)s)",
    )
    parser.add_argument(
        "--in-process",
        action="store_true",
        help="audit in the command's own process, without limits, to measure an audit; a file can "
        "end the command then",
    )


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_audit import AuditRequest, run  # noqa: PLC0415 - slow

    return run(
        AuditRequest(
            output=arguments.output,
            input=arguments.input,
            job=arguments.job,
            as_json=arguments.json,
            show_all=arguments.all,
            failures=arguments.failures,
            html=arguments.html,
            with_map=arguments.map,
            with_values=arguments.compare == "columns",
            ids_memory_mib=arguments.ids_memory,
            ids_disk_mib=arguments.ids_disk,
            ids_folder=arguments.ids_folder,
            in_process=arguments.in_process,
            overture=arguments.overture,
            overture_max_mib=arguments.overture_max,
            release=arguments.release,
        )
    )
