"""The arguments of `board` and `report`. Their work is imported when it runs: azure is slow to
import.
"""

import argparse
from typing import Any

from gem_core.commands.options import add_command, count

_BOARD = """\
Show open and delivered jobs as a page in the browser, trouble first.
The page is served on this machine only, until Ctrl-C. It reads the storage with your own sign-in,
with three requests for each view, and links the reports. It changes nothing."""
_REPORT = """\
Open the last report of a job in the browser.
The page is served on this machine only, until Ctrl-C. It is read with your own sign-in."""


def add_parser(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add both commands."""
    _add_server(add_command(commands, "board", about=_BOARD, run=_board))
    report = add_command(commands, "report", about=_REPORT, run=_report)
    report.add_argument("job", metavar="JOB", help="a job id")
    _add_server(report)


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port",
        type=count(65_535),
        default=0,
        metavar="N",
        help="the port on 127.0.0.1 (any free one)",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, and open no browser"
    )


def _board(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_board import run_board  # noqa: PLC0415 - imports azure

    return run_board(
        port=arguments.port, with_browser=not arguments.no_browser, as_json=arguments.json
    )


def _report(arguments: argparse.Namespace) -> int:
    from gem_core.commands.run_board import run_report  # noqa: PLC0415 - imports azure

    return run_report(
        arguments.job,
        port=arguments.port,
        with_browser=not arguments.no_browser,
        as_json=arguments.json,
    )
