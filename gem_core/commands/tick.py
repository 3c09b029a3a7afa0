"""The arguments of `tick`. Its work is imported when it runs: azure is slow to import."""

import argparse
from typing import Any

from gem_core.commands.options import add_command

_ABOUT = """\
Run a tick: ask GEM about every due job, and raise the tickets of jobs that have ended.
This is what the app's timer does. Use the command when the timer does not work, or for a test. It
is safe while the timer works: only one of them asks GEM. It needs all settings, and the app's
rights.

POST /api/tick does the same in the deployed app, with the app's settings and rights."""
_EXIT_CODES = """\
exit codes:
  0  done
  1  due jobs remain: another tick runs, or the time of this one was over
  2  failed because of settings, storage or GEM
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    add_command(commands, "tick", about=_ABOUT, run=_run, epilog=_EXIT_CODES)


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_tick import run  # noqa: PLC0415 - imports azure

    return run(as_json=arguments.json)
