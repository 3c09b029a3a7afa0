"""The process that runs the app. The host starts it, asks it, and starts it again when it dies.
Edge.

As in Azure, host and app are two processes that talk over a loopback connection. When the process
dies, its invocations fail. The third death ends the host.
"""

import contextlib
import json
import pickle
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO, cast

from devkit.runner.worker import Answer, AppLoadError, IndexedFunction, Invocation

MOST_DEATHS = 3
"""The death of the worker that ends the host."""

_ROOT = Path(__file__).resolve().parent.parent.parent
_PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from devkit.runner.worker_main import main; main()"
)  # not `-m`: the working directory is the app's folder, as in Azure
_CONNECT_SECONDS = 60.0
_POLL_SECONDS = 0.1


class WorkerProcess:
    """The app in a process of its own. Any thread may call `invoke`."""

    def __init__(self, app: Path, *, quiet: bool = False) -> None:
        self._app = app
        self._quiet = quiet
        self._lock = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._stream: BinaryIO | None = None
        """None while the process is being started."""
        self._stopped = False
        self._deaths = 0
        self._running: dict[str, Future[Answer]] = {}
        self.on_last_death: Callable[[], None] = lambda: None
        """Called when the process has died `MOST_DEATHS` times; it is not started again."""

    def load(self) -> tuple[IndexedFunction, ...]:
        """Start the process, which indexes the app.

        Raises:
            AppLoadError: see `Worker.load`.

        """
        stream = self._start()
        answer = _read(stream)
        if not isinstance(answer, tuple):
            raise AppLoadError(answer or f"the worker ended with code {self._ended()}")
        with self._lock:
            self._stream = stream
            self._lock.notify_all()
        threading.Thread(target=self._listen, args=(stream,), name="worker", daemon=True).start()
        return answer

    def invoke(self, invocation: Invocation) -> Answer:
        """Call a function and wait for its end. Fails when the process dies meanwhile."""
        done: Future[Answer] = Future()
        with self._lock:
            self._lock.wait_for(lambda: self._stream or self._stopped)
            if not self._stream:
                return Answer(failure="the host ends")
            self._running[invocation.invocation_id] = done
            with contextlib.suppress(OSError):  # it died; `_listen` fails the invocation
                pickle.dump(invocation, self._stream)
                self._stream.flush()
        return done.result()

    def stop(self) -> None:
        """End the process at once."""
        with self._lock:
            self._stopped = True
            self._lock.notify_all()
            process = self._process
        if process:
            process.kill()
            process.wait()

    def _start(self) -> BinaryIO:
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._process = process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(_ROOT)],
                stdin=subprocess.PIPE, cwd=self._app if self._app.is_dir() else None,
            )  # fmt: skip
            port = server.getsockname()[1]
            begin = {"app": str(self._app), "quiet": self._quiet, "token": token, "port": port}
            with cast("BinaryIO", process.stdin) as given:  # it is a pipe
                given.write(json.dumps(begin).encode() + b"\n")
            print(f"Worker: process {process.pid}", flush=True)
            server.settimeout(_POLL_SECONDS)
            while process.poll() is None:
                with contextlib.suppress(TimeoutError):
                    connection, _ = server.accept()
                    connection.settimeout(None)
                    stream = cast("BinaryIO", connection.makefile("rwb"))
                    connection.close()  # the stream keeps it open
                    if stream.readline() == token.encode() + b"\n":
                        return stream
        raise AppLoadError(f"the worker ended with code {self._ended()}")

    def _listen(self, stream: BinaryIO) -> None:
        while answer := _read(stream):
            invocation_id, value = answer
            self._running.pop(invocation_id).set_result(value)
        if not self._stopped:
            self._died()

    def _died(self) -> None:
        failure = f"The worker process ended with code {self._ended()}"
        print(failure, file=sys.stderr, flush=True)
        with self._lock:
            self._stream = None
            self._deaths += 1
            running, self._running = self._running, {}
            is_last = self._deaths == MOST_DEATHS
        for done in running.values():
            done.set_result(Answer(failure=failure))
        if is_last:
            self.on_last_death()
            return
        try:
            self.load()
        except AppLoadError as error:
            if not self._stopped:
                print(f"The worker did not start again: {error}", file=sys.stderr, flush=True)
                self.on_last_death()

    def _ended(self) -> int | None:
        return self._process.wait() if self._process else None


def _read(stream: BinaryIO) -> Any:  # noqa: ANN401 - what the worker sent
    """The next message; None when the process has ended."""
    try:
        return pickle.load(stream)  # noqa: S301 - from our own child, which knows the token
    except (EOFError, OSError, pickle.UnpicklingError):
        return None
