"""The program of the worker process: loads the app, runs what the host asks for. Edge.

It ends when its host ends.
"""

import json
import os
import pickle
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import BinaryIO, cast

from devkit.runner.logs import set_up_logs
from devkit.runner.worker import AppLoadError, Invocation, Worker


def main() -> None:
    """Read where the host listens from standard input, and serve it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the host, which ends this process
    begin = json.loads(sys.stdin.readline())
    worker = Worker()
    set_up_logs(worker.current_function, quiet=begin["quiet"])
    connection = socket.create_connection(("127.0.0.1", begin["port"]))
    stream = cast("BinaryIO", connection.makefile("rwb"))
    stream.write(begin["token"].encode() + b"\n")
    # Azure's worker removes it too, so that `multiprocessing` works in neither.
    sys.modules.pop("__main__", None)
    sending = threading.Lock()
    try:
        _send(stream, worker.load(Path(begin["app"])), sending)
    except AppLoadError as error:
        _send(stream, str(error), sending)
    while True:
        try:
            invocation: Invocation = pickle.load(stream)  # noqa: S301 - from our own parent
        except (EOFError, OSError):
            os._exit(0)  # the host has ended; functions that run do not hold the process
        threading.Thread(
            target=_run, args=(worker, invocation, stream, sending), daemon=True
        ).start()


def _run(worker: Worker, invocation: Invocation, stream: BinaryIO, sending: threading.Lock) -> None:
    _send(stream, (invocation.invocation_id, worker.invoke(invocation)), sending)


def _send(stream: BinaryIO, message: object, sending: threading.Lock) -> None:
    with sending:
        try:
            pickle.dump(message, stream)
            stream.flush()
        except OSError:
            os._exit(0)
