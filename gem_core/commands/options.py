"""Options that several commands share, and types of arguments."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gem_core.commands.help_format import HelpFormat
from gem_core.counts import read_count
from gem_core.settings.app_settings import MAX_IDS_DISK_MIB

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_CODES = """\
exit codes:
  0  done
  1  a job is not registered, has no such document, or is not in the right stage
  2  failed because of settings, storage or GEM
"""
SETTINGS = """\
The command reads the app's settings from the environment, or with --settings from the object
Values of a local.settings.json. A command that sends nothing to GEM needs only the settings of the
app's storage: GEM_STATE; or, after az login, GEM_STATE__blobServiceUri and
GEM_STATE__queueServiceUri.
"""


def non_empty(text: str) -> str:
    """An argument that is not empty. A shell variable that is not set gives an empty one."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty")
    return text


def non_empty_path(text: str) -> Path:
    """A path that is not empty. An empty path would mean the current directory."""
    return Path(non_empty(text))


def name_and_value(text: str) -> tuple[str, str]:
    """An argument of the form NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError("it is not NAME=VALUE")
    return name, value


def count(most: int) -> "Callable[[str], int]":
    """An argument that is a whole number from 1 to `most`."""

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
    """Add a command that uses the app's storage, with the options --settings and --json.

    Args:
        commands: where to add it.
        name: of the command.
        about: the description; its first line is a sentence, from which the short help is made.
        run: from the parsed arguments to the exit code.
        epilog: the end of the help.

    """

    def prepared(arguments: argparse.Namespace) -> int:
        if arguments.settings:
            from gem_core.settings.local_settings import read_settings_file  # noqa: PLC0415 - when it runs
            from gem_core.wiring.environment import use_settings  # noqa: PLC0415 - as above

            use_settings(read_settings_file(arguments.settings))
        return run(arguments)

    summary = about.partition("\n")[0].removesuffix(".")
    parser = add_file_command(
        commands,
        name,
        about=summary[0].lower() + summary[1:],
        description=f"{about}\n\n{SETTINGS}",
        run=prepared,
        epilog=epilog,
    )
    parser.add_argument(
        "--settings", metavar="FILE", type=Path, help="read the settings from a local.settings.json"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def add_group(
    commands: "argparse._SubParsersAction[Any]", name: str, *, about: str, description: str
) -> "argparse._SubParsersAction[Any]":
    """Add a command that only has actions of its own; `about` is its short help."""
    parser = commands.add_parser(name, help=about, description=description)
    actions: argparse._SubParsersAction[Any] = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    return actions


def add_file_command(
    commands: "argparse._SubParsersAction[Any]",
    name: str,
    *,
    about: str,
    description: str,
    run: "Callable[[argparse.Namespace], int]",
    epilog: str,
) -> argparse.ArgumentParser:
    """Add a command on files, which needs no settings; see `add_command`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=description, epilog=epilog, formatter_class=HelpFormat
    )
    parser.set_defaults(run=run)
    return parser


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a command on files reports, and what it may use of the disk meanwhile."""

    as_json: bool
    html: Path | None
    """The file of a page; None writes none."""
    disk_mib: int
    folder: Path | None
    """None is the system's temporary directory."""


def add_report_options(
    parser: argparse.ArgumentParser,
    *,
    page: str,
    disk_mib: int,
    disk: str,
    folder: str = "temporary files",
) -> None:
    """Add the options that `report_options` reads.

    Args:
        parser: of the command.
        page: help of --html.
        disk_mib: the default of --disk.
        disk: help of --disk, without its default.
        folder: what lies in the folder, for the help of --folder.

    """
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--html", metavar="FILE", type=non_empty_path, help=page)
    add_disk_options(parser, disk_mib=disk_mib, disk=disk, folder=folder)


def add_disk_options(
    parser: argparse.ArgumentParser, *, disk_mib: int, disk: str, folder: str = "temporary files"
) -> None:
    """Add --disk and --folder; the arguments are those of `add_report_options`."""
    parser.add_argument(
        "--disk",
        metavar="MIB",
        type=count(MAX_IDS_DISK_MIB),
        default=disk_mib,
        help=f"{disk} (%(default)s)",
    )
    parser.add_argument(
        "--folder",
        metavar="FOLDER",
        type=non_empty_path,
        help=f"folder for {folder} (the system's temporary directory)",
    )


def report_options(arguments: argparse.Namespace) -> ReportOptions:
    """What the user chose."""
    return ReportOptions(arguments.json, arguments.html, arguments.disk, arguments.folder)
