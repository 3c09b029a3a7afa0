"""The app, storage and the GEM simulator stay up until Ctrl-C: `python -m devkit start`."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from devkit.simulator.life import LIVES
from devkit.stage import ROOT, stage

SETTINGS = ROOT / ".dev" / "start.settings.json"

HELP = """\
The app       {app}/api/jobs   (development runner; key {key})
GEM           {gem}   (simulated, {scale:g} simulated seconds a second)
Storage       {blob}

Submit a job to the simulator, watch it, look at it:

  curl -X PUT {origin}/control/jobs/job-1 -d '{{"life": "clean"}}'
  curl -X PUT -H 'x-functions-key: {key}' {app}/api/jobs/job-1 -d '{{"labels": {{"team": "maps"}}}}'
  curl -H 'x-functions-key: {key}' {app}/api/jobs/job-1

Lives: {lives}

Look after it, from another terminal (also: poison):

  .venv/bin/python -m gem_core doctor --settings {settings}
  .venv/bin/python -m gem_core jobs list --settings {settings}

Read the results queue:

  .venv/bin/python examples/listener.py --connection-string '{storage}'

Ctrl-C ends all of it; nothing is kept."""


def run(*, port: int, simulator_port: int, time_scale: float) -> int:
    """Bring everything up, say how to use it, and wait for Ctrl-C."""
    overrides = {"GEM_CHECK_SCHEDULE": "*/5 * * * * *", "GEM_CHECK_MIN_SECONDS": "5"}
    with stage(
        time_scale=time_scale, overrides=overrides, port=port, simulator_port=simulator_port
    ) as up:
        print(
            HELP.format(
                app=up.runner.url,
                key=up.runner.function_key,
                gem=up.simulator.url,
                origin=up.simulator.origin,
                scale=time_scale,
                blob=up.azurite.blob_uri,
                lives=", ".join(LIVES),
                storage=up.azurite.connection_string,
                settings=SETTINGS.relative_to(ROOT),
            ),
            flush=True,
        )
        with settings_file(up.runner.settings):
            signal.pause()
    return 0


@contextmanager
def settings_file(settings: Mapping[str, str]) -> Iterator[None]:
    """The settings of this run in a file, for commands, as long as it lasts."""
    SETTINGS.parent.mkdir(exist_ok=True)
    SETTINGS.write_text(json.dumps({"IsEncrypted": False, "Values": dict(settings)}, indent=1))
    try:
        yield
    finally:
        SETTINGS.unlink()
