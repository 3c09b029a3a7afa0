"""The arguments of `store`. Its work is imported when it runs: azure is slow to import."""

import argparse
from typing import Any

from gem_core.commands.options import add_command, add_group

_EXIT_CODES = """\
exit codes:
  0  released, or no app claims it
  2  failed because of settings or storage
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command and its action."""
    actions = add_group(
        commands,
        "store",
        about="let another app tick on this storage",
        description="Manage the claim of an app to the storage in GEM_STATE.",
    )
    add_command(
        actions,
        "release",
        about="End the claim of the app that ticks on this storage, so that another app can tick.\n"
        "Stop that app first: its next tick claims the storage again. If the other app has\n"
        "another identity for GEM, no job becomes lost for six hours.",
        run=_release,
        epilog=_EXIT_CODES,
    )


def _release(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_store import release  # noqa: PLC0415 - imports azure

    return release(as_json=arguments.json)
