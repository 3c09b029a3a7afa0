"""The command line: `gem-courier COMMAND` or `python -m gem_core COMMAND`. Edge: terminal.

A command is a module with `add_parser`. It adds the command's arguments and sets `run`, a function
from the parsed arguments to the exit code. Slow imports happen in `run`.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn, override

from gem_core.commands import (
    advise,
    audit,
    board,
    doctor,
    ids,
    jobs,
    poison,
    preflight,
    send_test,
    store,
    succession,
    tick,
    wait,
)
from gem_core.commands.exit_codes import COULD_NOT, INTERRUPTED, TERMINATED
from gem_core.commands.terminal import prepare_streams, print_error, print_lines
from gem_core.errors import CourierError
from gem_core.failure import own_words
from gem_core.log_guard import guard_logs
from gem_core.redaction import redacted


class _Parser(argparse.ArgumentParser):
    """A parser whose errors hide secrets. argparse uses this class for the commands too."""

    @override
    def error(self, message: str) -> NoReturn:
        super().error(redacted(message))  # the message may repeat an address


class _Version(argparse.Action):
    """Reads the version only when it is needed. argparse's own action needs the text in advance."""

    @override
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from gem_core.commands.version import version  # noqa: PLC0415 - imports email and zipfile

        prepare_streams()
        print_lines([f"{parser.prog} {version()}"])
        parser.exit()


def command_line() -> argparse.ArgumentParser:
    """The parser with all commands and their arguments."""
    parser = _Parser(
        prog="gem-courier",
        description="Audit files that TomTom's Global Entity Matcher (GEM) has written, and manage "
        "the jobs that GEM Courier watches.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (
        advise,
        audit,
        board,
        doctor,
        ids,
        jobs,
        poison,
        preflight,
        send_test,
        store,
        succession,
        tick,
        wait,
    ):
        command.add_parser(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. An unexpected error gives `COULD_NOT`, never 1.

    Args:
        words: the arguments; None reads them from the process.

    """
    parser = command_line()
    arguments = argparse.Namespace()
    # Log lines are for the operators of the app. A command prints its own results.
    guard_logs()
    logging.basicConfig(handlers=[logging.NullHandler()])
    try:
        parser.parse_args(words, arguments)
        prepare_streams()
        code: int = arguments.run(arguments)
    except CourierError as error:
        words_ = (parser.prog, getattr(arguments, "command", ""), getattr(arguments, "action", ""))
        print_error(f"{' '.join(filter(None, words_))}: {error}")
        return COULD_NOT
    except BrokenPipeError:
        return COULD_NOT
    except KeyboardInterrupt:
        print_error("stopped")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - Python would exit with 1, which is a result here
        print_error(f"an unexpected error: {own_words(error)}")
        return COULD_NOT
    return code


def _terminate(*_: object) -> NoReturn:
    """Exit normally at SIGTERM, so that temporary files are deleted. Python would not do that."""
    sys.exit(TERMINATED)


def run() -> int:
    """Entry point of the process, for `gem-courier` (`[project.scripts]`) and `python -m`."""
    signal.signal(signal.SIGTERM, _terminate)
    return main()


if __name__ == "__main__":
    sys.exit(run())
