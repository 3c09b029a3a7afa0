"""The arguments of `wait`. Its work is imported when it runs: azure is slow to import."""

import argparse
from typing import Any

from gem_core.commands.options import add_command, count, non_empty

_MAX_MINUTES = 60 * 24 * 365
_ABOUT = """\
Wait until jobs are delivered, and say how they end.
Prints a line whenever a job changes: its status, its progress, when it will probably end, and its
outcome. Nothing is sent to GEM: the app asks GEM, and this command looks at the app's records every
15 seconds. It reads them from the app's storage, or with --app from the app itself.

With --app, put a function key into the environment variable COURIER_APP_KEY."""
_EXIT_CODES = """\
exit codes:
  0  all jobs are delivered, and all are valid, with or without warnings
  1  all jobs are delivered, and one at least has another outcome (invalid, failed, ...)
  2  failed: a job is not registered, or settings, storage or app cannot be used
  3  the time of --timeout is over, and a job is not delivered yet
  130, 143  stopped with Ctrl-C, or with SIGTERM
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_command(commands, "wait", about=_ABOUT, run=_run, epilog=_EXIT_CODES)
    parser.add_argument("jobs", metavar="JOB", nargs="+", help="a job id")
    parser.add_argument(
        "--timeout",
        metavar="MINUTES",
        type=count(_MAX_MINUTES),
        help="wait at most this long (without end)",
    )
    parser.add_argument(
        "--app",
        metavar="URL",
        type=non_empty,
        help="ask the app at this address, such as https://NAME.azurewebsites.net",
    )
    parser.set_defaults(refuse=parser.error)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.app and arguments.settings:
        arguments.refuse("--settings is for the storage; --app does not use it")
    from gem_core.commands.run_wait import run  # noqa: PLC0415 - imports azure

    return run(
        list(dict.fromkeys(arguments.jobs)),
        app=arguments.app,
        timeout_minutes=arguments.timeout,
        as_json=arguments.json,
    )
