"""The arguments of `doctor`. Its work is imported when it runs: azure is slow to import."""

import argparse
from typing import Any

from gem_core.commands.options import add_command, non_empty

_ABOUT = """\
Test every part that the app needs, and say what to do about each problem.
Prints one line for each part: ok, warning, fail or skipped. To test a right, the doctor writes a
probe and deletes it again. The app never mistakes a probe for a job, a ticket or a manifest.

The doctor has the rights of the user who runs it. To test with the rights of the deployed app,
send POST /api/doctor."""
_EXIT_CODES = """\
exit codes:
  0  nothing fails; warnings are allowed
  1  something fails
  2  the doctor could not run, for example because the settings file does not exist
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_command(commands, "doctor", about=_ABOUT, run=_run, epilog=_EXIT_CODES)
    parser.add_argument(
        "--overture",
        metavar="URL|FOLDER",
        type=non_empty,
        help="report only what a changelog of Overture looks like: its parts, files, row groups "
        "and statistics. Needs no settings",
    )
    parser.add_argument(
        "--release",
        metavar="RELEASE",
        type=non_empty,
        help="with --overture: the release to report (the newest)",
    )


def _run(arguments: argparse.Namespace) -> int:
    if arguments.overture:
        from gem_core.commands.run_doctor_overture import run_overture  # noqa: PLC0415 - numpy

        return run_overture(arguments.overture, arguments.release, as_json=arguments.json)
    from gem_core.commands.run_doctor import run  # noqa: PLC0415 - imports azure

    source = str(arguments.settings) if arguments.settings else "the environment"
    return run(source, as_json=arguments.json)
