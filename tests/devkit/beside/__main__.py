"""`python -m tests.devkit.beside`: record a host that is started by hand while this waits.

Start this first: it prepares the stores. Then start the host with the printed names. Its blob
trigger `receive` is on `INBOX/{name}.txt`, its queue trigger `take` on `QUEUE`; it has the options
of `apps/callback/host.json`, and posts each call to the callback.
"""

import argparse
import json
import sys
import time
from urllib.parse import urlsplit

import requests

from tests.devkit.beside.callback import callback
from tests.devkit.beside.recorder import Storage

_START_SECONDS = 120.0
_QUIET_SECONDS = 3.0


def main() -> int:
    """Print what the host at `--url` did as JSON. Returns 1 if there is none after two minutes."""
    parser = argparse.ArgumentParser(prog="python -m tests.devkit.beside", description=__doc__)
    parser.add_argument("--url", required=True, help="address of the host's webhook")
    parser.add_argument("--key", default="", help="key of the webhook")
    parser.add_argument("--storage", required=True, help="connection string of an emulator")
    parser.add_argument("--host-id", required=True, help="id of the host, new for each run")
    parser.add_argument("--callback-port", type=int, default=8000)
    options = parser.parse_args()
    with (
        Storage.of(options.storage, options.host_id) as storage,
        callback(options.callback_port) as (calls, address),
    ):
        storage.prepare()
        names = f"INBOX={storage.inbox.container_name} QUEUE={storage.queue} CALLBACK={address}"
        sys.stderr.write(f"Start the host now: {names}\n")
        sys.stderr.flush()
        if not _answers(options.url):
            return 1
        url = options.url.rstrip("/")
        found = storage.record(url, options.key, calls, quiet_seconds=_QUIET_SECONDS)
        json.dump(found, sys.stdout, indent=1, ensure_ascii=False)
    return 0


def _answers(url: str) -> bool:
    """Whether something listens at the address."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            requests.get(f"http://{urlsplit(url).netloc}/", timeout=60)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
