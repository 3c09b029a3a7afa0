"""`doctor`: its arguments. The story is imported when it runs, since azure is slow to load."""

import argparse
from typing import Any

from gem_core.commands.options import add_command

_ABOUT = """\
Look at everything that the app needs, and say what to do.
One line a check: ok, warning, fail or skipped. Nothing is left behind: what is written to prove a
right is taken away again, and can never be taken for a job, a ticket or a manifest.

It looks with the rights of whoever runs it. POST /api/doctor does the same as the deployed app."""
_EXIT_CODES = """\
exit codes:
  0  nothing fails; warnings are allowed
  1  something fails
  2  it could not look: no such settings file
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    add_command(commands, "doctor", about=_ABOUT, run=_run, epilog=_EXIT_CODES)


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_doctor import run  # noqa: PLC0415 - imports azure

    source = str(arguments.settings) if arguments.settings else "the environment"
    return run(source, as_json=arguments.json)
