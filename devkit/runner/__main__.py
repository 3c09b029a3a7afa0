"""`python -m devkit.runner`: run one Functions app until SIGTERM or Ctrl-C."""

import argparse
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue

from azure.core.exceptions import AzureError

from devkit.runner.app import BLOB, HTTP, QUEUE, TIMER
from devkit.runner.host import Host
from devkit.runner.http_server import HttpServer
from devkit.runner.logs import set_up_logs
from devkit.runner.routes import Keys
from devkit.runner.worker import AppLoadError
from devkit.runner.worker_process import WorkerProcess
from gem_core.errors import SettingsError
from gem_core.settings.local_settings import read_settings_file

_SETTINGS_FILE = "local.settings.json"
_FUNCTION_KEY, _MASTER_KEY = "RUNNER_FUNCTION_KEY", "RUNNER_MASTER_KEY"


def main(arguments: list[str] | None = None) -> int:
    """Run the app. Returns 1 if the app cannot be loaded or its storage cannot be used."""
    options = _parser().parse_args(arguments)
    app = options.app.resolve()
    worker = WorkerProcess(app, quiet=options.quiet)
    set_up_logs(lambda: "runner", quiet=options.quiet)
    try:
        _apply_settings(app, options.settings)
        keys = Keys(_key(os.environ, _FUNCTION_KEY), _key(os.environ, _MASTER_KEY))
        host = Host(app, os.environ, worker=worker, keys=keys)
        with HttpServer((options.address, options.port)) as server:
            host.start()
            return _serve(host, server, keys, with_parent=options.with_parent)
    except (AppLoadError, SettingsError) as error:
        print(f"The app cannot be loaded:\n{error}", file=sys.stderr)
    except AzureError as error:
        print(f"Storage cannot be used: {error}", file=sys.stderr)
    except OSError as error:
        print(f"Cannot listen on {options.address}:{options.port}: {error}", file=sys.stderr)
    finally:
        worker.stop()
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devkit.runner",
        description="A development runner for a Python v2 Functions app; not the Functions host.",
    )
    parser.add_argument("--app", type=Path, default=Path(), help="folder of function_app.py")
    parser.add_argument(
        "--settings", type=Path, help=f"settings file (APP/{_SETTINGS_FILE} if it exists)"
    )
    parser.add_argument("--address", default="127.0.0.1", help="address to bind (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=7071, help="port; 0 for any free port (%(default)s)"
    )
    parser.add_argument("--quiet", action="store_true", help="log warnings and errors only")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when standard input is closed"
    )
    return parser


def _apply_settings(app: Path, settings: Path | None) -> None:
    """Put the settings file into the environment; what is there already wins, as in Core Tools."""
    path = settings or app / _SETTINGS_FILE
    if settings or path.exists():
        for name, value in read_settings_file(path).items():
            os.environ.setdefault(name, value)


def _key(settings: Mapping[str, str], name: str) -> str:
    return settings.get(name) or secrets.token_urlsafe(24)


def _serve(host: Host, server: HttpServer, keys: Keys, *, with_parent: bool) -> int:
    # A handler runs between two lines of this thread, which may hold the lock of the event. The
    # `put` of this queue may be called at any time.
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: signals.put(number))
    threading.Thread(target=_stop_at, args=(signals, host), daemon=True).start()
    if with_parent:
        threading.Thread(target=_wait_for_parent, args=(host,), daemon=True).start()
    server.site = host.site
    threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True).start()
    _announce(host, server.url, keys)
    host.stop_event.wait()
    server.shutdown()
    if not host.stop():
        logging.getLogger(__name__).warning("Functions that have not ended are terminated")
    return 1 if host.broke else 0


def _stop_at(signals: "SimpleQueue[int]", host: Host) -> None:
    signals.get()
    host.stop_event.set()


def _wait_for_parent(host: Host) -> None:
    # Do not read sys.stdin: the interpreter needs its lock at exit.
    while os.read(0, 4096):
        pass
    host.stop_event.set()


def _announce(host: Host, url: str, keys: Keys) -> None:
    print("Development runner; not the Azure Functions host (devkit/runner/README.md).")
    for one in host.functions:
        off = " (disabled)" if one.disabled else ""
        if one.kind == HTTP:
            route = next(route for route in host.routes if route.function is one)
            methods = ",".join(sorted(route.methods)) or "any method"
            print(f"  {one.name}{off}: {methods} {url}/{route.template} [{route.level.value}]")
        else:
            where = one.trigger[{BLOB: "path", QUEUE: "queueName", TIMER: "schedule"}[one.kind]]
            print(f"  {one.name}{off}: {one.kind} {where}, {url}/admin/functions/{one.name}")
    # A key from the settings is known to the user and need not be in a log.
    if not os.environ.get(_FUNCTION_KEY):
        print(f"  function key: {keys.function}")
    if not os.environ.get(_MASTER_KEY):
        print(f"  master key: {keys.master}")
    print(f"Ready: {url}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
