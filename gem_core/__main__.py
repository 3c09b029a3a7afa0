"""`gem-courier COMMAND`, or `python -m gem_core COMMAND`: the app at a desk. Edge: terminal.

A command is a module with `add_parser`, which names itself and sets `run`: from the arguments to an
exit code. What a command imports is imported when it runs.
"""

import argparse
import logging
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn, override

from gem_core.audit.reading.address import without_signature
from gem_core.commands import audit, doctor, jobs, poison
from gem_core.commands.terminal import complain, prepare_streams, say
from gem_core.errors import CourierError

FAILED = 2
"""As argparse has it for wrong arguments: the question could not be answered."""

INTERRUPTED = 130
TERMINATED = 143


class _Parser(argparse.ArgumentParser):
    """Also of the commands, which argparse makes of the same class."""

    @override
    def error(self, message: str) -> NoReturn:
        super().error(without_signature(message))  # of an address too many, for example


class _Version(argparse.Action):
    """Looked up when it is asked for. argparse's own takes the words beforehand."""

    @override
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from gem_core.commands.version import version  # noqa: PLC0415 - imports email and zipfile

        prepare_streams()
        say([f"{parser.prog} {version()}"])
        parser.exit()


def command_line() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    parser = _Parser(prog="gem-courier", description="GEM Courier at your desk.")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (audit, doctor, jobs, poison):
        command.add_parser(commands)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit code. No trouble is taken for an answer."""
    parser = command_line()
    arguments = argparse.Namespace()
    # What the stories log is for the app's operators; here every command says what it did.
    logging.basicConfig(handlers=[logging.NullHandler()])
    try:
        parser.parse_args(words, arguments)
        prepare_streams()
        code: int = arguments.run(arguments)
    except CourierError as error:
        words_ = (parser.prog, getattr(arguments, "command", ""), getattr(arguments, "action", ""))
        complain(f"{' '.join(filter(None, words_))}: {error}")
        return FAILED
    except BrokenPipeError:
        return FAILED
    except KeyboardInterrupt:
        complain("stopped")
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - Python's own exit code would be 1, which is an answer
        complain(traceback.format_exc())
        return FAILED
    return code


def _terminate(*_: object) -> NoReturn:
    """As Python does nothing by itself, temporary files would stay."""
    sys.exit(TERMINATED)


def run() -> int:
    """Be the process: `gem-courier` (`[project.scripts]`) begins here, and so does `python -m`."""
    signal.signal(signal.SIGTERM, _terminate)
    return main()


if __name__ == "__main__":
    sys.exit(run())
