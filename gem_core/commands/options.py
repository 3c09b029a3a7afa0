"""The options that several commands share, and what their arguments may be."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gem_core.counts import read_count

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_CODES = """\
exit codes:
  0  done
  1  the job is not registered, has no such paper, or is not in a state for it
  2  could not: settings, storage or GEM are in the way
"""
SETTINGS = """\
Settings come from the environment, under the names of the app settings, or with --settings from the
Values of a local.settings.json, and then none from the environment. What is not about GEM needs
only GEM_STATE, or else GEM_STATE__blobServiceUri, GEM_STATE__queueServiceUri and az login.
"""


def named(text: str) -> str:
    """An argument that is not empty, as that of a shell variable which is not set."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def named_path(text: str) -> Path:
    """As above; an empty one would be the current directory."""
    return Path(named(text))


def count(most: int) -> "Callable[[str], int]":
    """An argument that is a whole number of 1 to `most`."""

    def read(text: str) -> int:
        try:
            return read_count(text, most=most)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"it {error}") from None

    return read


def add_command(
    commands: "argparse._SubParsersAction[Any]",
    name: str,
    *,
    about: str,
    run: "Callable[[argparse.Namespace], int]",
    epilog: str = EXIT_CODES,
) -> argparse.ArgumentParser:
    """A command that uses the app's stores."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about.partition("\n")[0],
        description=f"{about}\n\n{SETTINGS}",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--settings", metavar="FILE", type=Path, help="a local.settings.json to take settings from"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")

    def prepared(arguments: argparse.Namespace) -> int:
        if arguments.settings:
            from gem_core.settings.local_settings import read_settings_file  # noqa: PLC0415 - when it runs
            from gem_core.wiring.environment import use_settings  # noqa: PLC0415 - as above

            use_settings(read_settings_file(arguments.settings))
        return run(arguments)

    parser.set_defaults(run=prepared)
    return parser
