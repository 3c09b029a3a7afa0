"""Runs the app, storage and the GEM simulator until Ctrl-C: `python -m devkit start`."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from devkit.simulator.life import LIVES
from devkit.stage import ROOT, Stage, stage

SETTINGS = ROOT / ".dev" / "start.settings.json"
LOG = ROOT / ".dev" / "start.log"
"""The app's log of the last run. It is kept, because it may show why the app ended."""
_POLL_SECONDS = 0.5
_TAIL = 4000

HELP = """\
The app       {app}/api/jobs   (development runner; key {key})
Its log       {log}
GEM           {gem}   (simulated, {scale:g} simulated seconds for each real second)
Storage       {blob}

Submit a job to the simulator, register it with the app, show it:

  curl -X PUT {origin}/control/jobs/job-1 -d '{{"life": "clean"}}'
  curl -X PUT -H 'x-functions-key: {key}' {app}/api/jobs/job-1 -d '{{"labels": {{"team": "maps"}}}}'
  curl -H 'x-functions-key: {key}' {app}/api/jobs/job-1

Values for "life": {lives}

Manage the app from another terminal (also: report, wait, poison, send-test):

  .venv/bin/python -m gem_core board --settings {settings}
  .venv/bin/python -m gem_core jobs list --settings {settings}
  .venv/bin/python -m gem_core doctor --settings {settings}

Read the results queue:

  .venv/bin/python examples/listeners/python/listen.py --connection-string '{storage}'

Ctrl-C stops everything. Only the log is kept."""


def run(*, port: int, simulator_port: int, time_scale: float, settings: Mapping[str, str]) -> int:
    """Start everything, print how to use it, and wait for Ctrl-C or for the end of the app.

    Returns 1 if a port is not free or the app ended.
    """
    for number, what, option in (
        (port, "the app", "--port"),
        (simulator_port, "the GEM simulator", "--simulator-port"),
    ):
        if number and not _is_free(number):
            problem = f"Port {number} for {what} is not free: is another make start running?"
            print(f'{problem} Choose another port: make start ARGS="{option} N"', file=sys.stderr)
            return 1
    overrides = {"GEM_CHECK_SCHEDULE": "*/5 * * * * *", "GEM_CHECK_MIN_SECONDS": "5", **settings}
    LOG.parent.mkdir(exist_ok=True)
    with stage(
        time_scale=time_scale,
        overrides=overrides,
        port=port,
        simulator_port=simulator_port,
        log_path=LOG,
        with_overture=True,
    ) as up:
        print(_help(up, time_scale), flush=True)
        with settings_file(up.runner.settings):
            while up.runner.running:
                time.sleep(_POLL_SECONDS)
            code = up.runner.stop()
    message = f"The app ended with code {code}. The end of its log {LOG}:"
    print(f"\n{message}\n\n{LOG.read_text(errors='replace')[-_TAIL:]}", file=sys.stderr)
    return 1


def _help(up: Stage, time_scale: float) -> str:
    return HELP.format(
        app=up.runner.url,
        key=up.runner.function_key,
        gem=up.simulator.url,
        origin=up.simulator.origin,
        scale=time_scale,
        blob=up.azurite.blob_uri,
        lives=", ".join(LIVES),
        storage=up.azurite.connection_string,
        settings=os.path.relpath(SETTINGS, ROOT),
        log=os.path.relpath(LOG, ROOT),
    )


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@contextmanager
def settings_file(settings: Mapping[str, str]) -> Iterator[None]:
    """A file with the settings of this run, for commands. It is deleted at the end."""
    SETTINGS.parent.mkdir(exist_ok=True)
    try:  # Ctrl-C may come at any line
        SETTINGS.write_text(json.dumps({"IsEncrypted": False, "Values": dict(settings)}, indent=1))
        yield
    finally:
        SETTINGS.unlink(missing_ok=True)
