"""The arguments of `send-test`. Its work is imported when it runs: azure is slow to import."""

import argparse
from typing import Any

from gem_core.commands.options import add_command
from gem_core.settings.route import DEFAULT

_ABOUT = """\
Send a test message to the queue of a route, to see that its listener works.
The message is a manifest with the type io.gemcourier.test.v1, about a job that does not exist. A
listener does not know this type, so it gives the message to a person.
GEM_RESULTS_QUEUE, GEM_RESULTS_QUEUE_ENCODING and GEM_RESULTS_ROUTES must be those of the app, and
you need the role Storage Queue Data Message Sender on the queue."""
_EXIT_CODES = """\
exit codes:
  0  done
  1  there is no such route
  2  failed because of settings or storage
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_command(commands, "send-test", about=_ABOUT, run=_run, epilog=_EXIT_CODES)
    parser.add_argument(
        "--route",
        metavar="NAME",
        default=DEFAULT,
        help=f"the name of a queue of GEM_RESULTS_ROUTES ({DEFAULT}: GEM_RESULTS_QUEUE)",
    )


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_send_test import run  # noqa: PLC0415 - imports azure

    return run(arguments.route, as_json=arguments.json)
