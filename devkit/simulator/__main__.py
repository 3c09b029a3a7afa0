"""`python -m devkit.simulator`: run the simulator until Ctrl-C."""

import argparse
import os
import signal
import sys
from queue import SimpleQueue

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient

from devkit.simulator.access import SimulatorSettings
from devkit.simulator.life import LIVES
from devkit.simulator.simulator import GemSimulator


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns the exit code."""
    options = _parser().parse_args(arguments)
    if not options.connection_string:
        print("--connection-string or GEM_OUTPUT is needed", file=sys.stderr)
        return 2
    settings = SimulatorSettings(
        api_key=options.api_key,
        tokens=frozenset(options.token or ["simulator-token"]),
        time_scale=options.time_scale,
        hold_seconds=options.hold_seconds,
        port=options.port,
    )
    signals: SimpleQueue[int] = SimpleQueue()  # whose `put` a signal handler may call at any time
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: signals.put(number))
    with ContainerClient.from_connection_string(
        options.connection_string, options.container
    ) as container:
        try:
            container.create_container()
        except ResourceExistsError:
            print(f"container {options.container} already exists")
        with GemSimulator(container, settings) as simulator:
            _greet(simulator)
            signals.get()
    return 0


def _greet(simulator: GemSimulator) -> None:
    control = f"{simulator.origin}/control/jobs/job-1"
    # Flushed, because a script that starts the simulator may wait for the address.
    print(f"GEM_API_BASE_URL={simulator.url}", flush=True)
    print(f"GEM_API_KEY={simulator.api_key}")
    print(f"GEM_BEARER_TOKEN={simulator.token}")
    print(f"""create a job:  curl -X PUT {control} -d '{{"life": "clean"}}'""")
    print(f"values for life:  {', '.join(LIVES)}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devkit.simulator",
        description="A simulator of TomTom's Global Entity Matcher, with files in blob storage.",
    )
    defaults = SimulatorSettings()
    parser.add_argument(
        "--connection-string",
        default=os.environ.get("GEM_OUTPUT"),
        help="connection string of the storage for inputs and outputs (the variable GEM_OUTPUT)",
    )
    parser.add_argument(
        "--container", default="default", help="container; created if missing (%(default)s)"
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 for any free port")
    parser.add_argument(
        "--time-scale",
        type=_above_zero,
        default=60.0,
        help="simulated seconds for each real second (%(default)s)",
    )
    parser.add_argument("--api-key", default=defaults.api_key, help="valid API key (%(default)s)")
    parser.add_argument(
        "--token", action="append", help="valid token; the option may be used several times"
    )
    parser.add_argument(
        "--hold-seconds",
        type=_above_zero,
        default=defaults.hold_seconds,
        help="how long a connection without an answer is held open (%(default)s)",
    )
    return parser


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


if __name__ == "__main__":
    sys.exit(main())
