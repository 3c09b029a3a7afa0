"""Commands of the dev kit: `python -m devkit demo` and `python -m devkit start`."""

import argparse
import signal
import sys

from devkit import demo, start
from devkit.processes import ChildError

INTERRUPTED = 130


def main() -> int:
    """Run a command. Ctrl-C and SIGTERM stop all processes that it started."""
    parser = argparse.ArgumentParser(prog="python -m devkit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="watch some jobs from registration to manifest, then end")
    starting = commands.add_parser("start", help="start everything and run until Ctrl-C")
    starting.add_argument("--port", type=int, default=7071, help="port of the app (%(default)s)")
    starting.add_argument(
        "--simulator-port",
        type=int,
        default=7072,
        help="port of the GEM simulator (%(default)s)",
    )
    starting.add_argument(
        "--time-scale",
        type=float,
        default=60,
        help="simulated seconds for each real second (%(default)s)",
    )
    starting.add_argument(
        "--setting",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the app, such as GEM_RESULTS_ROUTES; its queues are made too. May be "
        "repeated",
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # a shell ignores it for commands started with `&`
    try:
        if arguments.command == "demo":
            return demo.run()
        return start.run(
            port=arguments.port,
            simulator_port=arguments.simulator_port,
            time_scale=arguments.time_scale,
            settings=dict(arguments.setting),
        )
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return INTERRUPTED
    except ChildError as error:
        print(error, file=sys.stderr)
        return 1


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError("it is not NAME=VALUE")
    return name, value


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
