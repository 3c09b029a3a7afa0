"""The arguments of `advise`. What runs it is imported when it runs."""

import argparse
from typing import Any

from gem_core.commands.audit import add_overture
from gem_core.commands.options import add_command, add_disk_options, non_empty, non_empty_path

_ABOUT = """\
Show which outputs a new Overture release outdates.
Without files, these are the outputs of all delivered jobs of the app. For each output of an older
release the command says what the releases since have changed. It reads each changelog once:

  removed    the new release does not have the id
  restored   it was removed and added again
  geometry   the geometry of the segment changed
  class      its class changed
  unknown    the segment changed, and the changelog (before 2026-03-18) does not say what
  other      only other columns changed, such as names; this outdates no output

An output is outdated if one of the first five has happened to one of its ids: another match may
give other ids. If a changelog is missing or cannot be read, the outputs that need it are not
verifiable."""
_EPILOG = """\
exit codes:
  0  no output is outdated
  1  some are
  2  failed: this is not known for every output, or an event was not sent
"""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command."""
    parser = add_command(commands, "advise", about=_ABOUT, run=_run, epilog=_EPILOG)
    parser.add_argument(
        "files", metavar="FILE|URL", nargs="*", type=non_empty, help="outputs of one release"
    )
    parser.add_argument(
        "--release",
        metavar="RELEASE",
        type=non_empty,
        required=True,
        help="the new Overture release, such as 2026-05-20.0",
    )
    parser.add_argument(
        "--from",
        metavar="RELEASE",
        dest="old",
        type=non_empty,
        help="the Overture release that the files were matched with",
    )
    add_overture(parser, required=True)
    parser.add_argument(
        "--ids",
        metavar="FILE.parquet",
        type=non_empty_path,
        help="write each id that changed, with its output, what changed, and its number of roads",
    )
    parser.add_argument(
        "--send",
        action="store_true",
        help="send an event for each outdated job to the routes that take job.outdated; each job "
        "gets one event for a release, however often this is run",
    )
    add_disk_options(
        parser,
        disk_mib=4096,
        disk="MiB of disk for temporary files; ten million roads need 190, and each release some "
        "hundred",
    )


def _run(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_advise import Request, run  # noqa: PLC0415 - slow

    return run(
        Request(
            files=tuple(arguments.files),
            release=arguments.release,
            old=arguments.old,
            overture=arguments.overture,
            overture_max_mib=arguments.overture_max,
            ids=arguments.ids,
            send=arguments.send,
            as_json=arguments.json,
            disk_mib=arguments.disk,
            folder=arguments.folder,
        )
    )
