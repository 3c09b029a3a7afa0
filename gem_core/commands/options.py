"""The options that several commands share, and the types of their arguments."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gem_core.counts import read_count

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_CODES = """\
exit codes:
  0  done
  1  the job is not registered, has no such document, or is not in a state for it
  2  failed: because of settings, storage or GEM
"""
SETTINGS = """\
Settings are read from the environment, under the names of the app settings; with --settings from
the Values of a local.settings.json, and then not from the environment. A command that does not ask
GEM needs only GEM_STATE, or GEM_STATE__blobServiceUri, GEM_STATE__queueServiceUri and az login.
"""


def named(text: str) -> str:
    """An argument that is not empty, as it would be from a shell variable that is not set."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def named_path(text: str) -> Path:
    """A path that is not empty: an empty one would be the current directory."""
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
        "--settings", metavar="FILE", type=Path, help="read the settings from a local.settings.json"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def prepared(arguments: argparse.Namespace) -> int:
        if arguments.settings:
            from gem_core.settings.local_settings import read_settings_file  # noqa: PLC0415 - when it runs
            from gem_core.wiring.environment import use_settings  # noqa: PLC0415 - as above

            use_settings(read_settings_file(arguments.settings))
        return run(arguments)

    parser.set_defaults(run=prepared)
    return parser
