"""`poison`: its arguments. The stories are imported when they run, since azure is slow to load."""

import argparse
from typing import Any

from gem_core.commands.options import add_command

_EXIT_CODES = """\
exit codes:
  0  done
  1  a message was kept on its queue: it is of an unknown form, or its job cannot be read
  2  could not: settings or storage are in the way
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command with its own commands."""
    parser = commands.add_parser(
        "poison",
        help="list, replay messages that failed too often",
        description="Messages that failed too often, and the jobs that they are about.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add_command(
        actions,
        "list",
        about="List the messages that failed too often: how many, and the first 32 of a queue.\n"
        "Nothing changes by it.",
        run=_list,
    )
    replay = add_command(
        actions,
        "replay",
        about="Raise the tickets of the failed messages' jobs again, then take the messages off.\n"
        "In this order, so that nothing is lost when it ends in between. Messages of jobs that\n"
        "were delivered meanwhile are only taken off. A message of an unknown form is\n"
        "kept, and named.",
        run=_replay,
        epilog=_EXIT_CODES,
    )
    replay.add_argument("jobs", metavar="JOB", nargs="*", help="only of these jobs (all)")


def _list(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_poison import list_messages  # noqa: PLC0415 - imports azure

    return list_messages(as_json=arguments.json)


def _replay(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_poison import replay_messages  # noqa: PLC0415 - imports azure

    return replay_messages(arguments.jobs, as_json=arguments.json)
