"""The arguments of `poison`. Its work is imported when it runs: azure is slow to import."""

import argparse
from typing import Any

from gem_core.commands.options import add_command, add_group

_EXIT_CODES = """\
exit codes:
  0  done
  1  a message stays in its queue, because its form is unknown or its job cannot be read
  2  failed because of settings or storage
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command and its actions."""
    actions = add_group(
        commands,
        "poison",
        about="list or replay messages that failed too often",
        description="Manage messages that failed too often (poison messages).",
    )
    add_command(
        actions,
        "list",
        about="List the poison messages: the number and the first 32 of each queue.\n"
        "The queues are not changed.",
        run=_list,
    )
    replay = add_command(
        actions,
        "replay",
        about="Raise new tickets for the jobs of the poison messages, then delete the messages.\n"
        "The tickets come first, so that nothing is lost if the command stops in between.\n"
        "For a job that was delivered meanwhile, the message is only deleted. A message of an\n"
        "unknown form stays in its queue and is reported.",
        run=_replay,
        epilog=_EXIT_CODES,
    )
    replay.add_argument("jobs", metavar="JOB", nargs="*", help="only these jobs (all)")


def _list(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_poison import list_messages  # noqa: PLC0415 - imports azure

    return list_messages(as_json=arguments.json)


def _replay(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_poison import replay_messages  # noqa: PLC0415 - imports azure

    return replay_messages(arguments.jobs, as_json=arguments.json)
