"""Runs the runner in a child process, for tests and the demo. Edge."""

import json
import os
import re
import secrets
import shutil
import sys
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from devkit.processes import ChildError, ChildProcess

_ROOT = Path(__file__).resolve().parent.parent.parent
_READY = re.compile(r"^Ready: (http://\S+)$", re.MULTILINE)
_WORKER = re.compile(r"^Worker: process (\d+)$", re.MULTILINE)
_START_SECONDS = 120.0


class Runner:
    """A context manager that runs one app in one process. The app is ready when the block begins.

    The process has the environment of this process, overridden by `settings`. The name of its state
    in host storage is `AzureFunctionsWebHost__hostid`, or else derived from the app's folder. So
    two runners of one app on one storage account share messages unless they have different ids.
    """

    def __init__(
        self,
        app: Path,
        settings: Mapping[str, str],
        *,
        port: int = 0,
        log_path: Path | None = None,
    ) -> None:
        """`port` 0 is any free port. `log_path` is a file for the log that is kept afterwards."""
        self._app = app
        self._port = port
        self._folder = Path(tempfile.mkdtemp(prefix="runner-"))
        self._tidy = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.log_path = log_path or self._folder / "runner.log"
        self.function_key = settings.get("RUNNER_FUNCTION_KEY") or secrets.token_urlsafe(24)
        self.master_key = settings.get("RUNNER_MASTER_KEY") or secrets.token_urlsafe(24)
        keys = {"RUNNER_FUNCTION_KEY": self.function_key, "RUNNER_MASTER_KEY": self.master_key}
        self.settings: Mapping[str, str] = {**settings, **keys}
        """The settings of the app and the runner's keys."""
        self._process: ChildProcess | None = None
        self.url = ""
        """Without a slash at the end."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._tidy()

    def start(self) -> None:
        """Start the runner and wait until it is ready. May be called again after `kill` or `stop`.

        Raises:
            ChildError: the runner did not start; the message contains its log.

        """
        file = self._folder / "settings.json"
        file.write_text(json.dumps({"IsEncrypted": False, "Values": dict(self.settings)}))
        command = [sys.executable, "-m", "devkit.runner", "--with-parent"]
        command += ["--app", str(self._app.resolve()), "--settings", str(file)]
        command += ["--port", str(self._port)]
        # The runner prefers environment variables to the settings file; the settings must win here.
        environment = {key: text for key, text in os.environ.items() if key not in self.settings}
        self.log_path.write_bytes(b"")
        process = ChildProcess(command, log=self.log_path, environment=environment, folder=_ROOT)
        self._process = process
        try:
            process.wait_until(self._is_ready, what="The runner", seconds=_START_SECONDS)
        except BaseException:
            self.stop()
            raise
        finally:
            file.unlink()  # the file has keys and has been read

    def _is_ready(self, process: ChildProcess) -> bool:
        ready = _READY.search(process.log.read_text(errors="replace"))
        self.url = ready[1] if ready else ""
        return ready is not None

    @property
    def pid(self) -> int:
        """The process id of the running runner."""
        if not self._process:
            raise ChildError("the runner is not running")
        return self._process.pid

    @property
    def worker_pid(self) -> int:
        """The process id of the process that runs the app."""
        return int(_WORKER.findall(self.log)[-1])

    @property
    def running(self) -> bool:
        """Whether the runner was started and has not ended."""
        return self._process is not None and self._process.running

    @property
    def log(self) -> str:
        """The log since the last start."""
        return self.log_path.read_text(errors="replace")

    def wait(self, seconds: float = 120.0) -> None:
        """Wait until the host has ended by itself, as the host in Azure would.

        Raises:
            ChildError: it has not ended after `seconds`.

        """
        if self._process:
            self._process.wait(what="The runner", seconds=seconds)

    def kill(self) -> None:
        """Stop the runner with SIGKILL, like a crash."""
        if self._process:
            self._process.kill()
            self._process = None

    def stop(self) -> int | None:
        """Stop the runner with SIGTERM. Returns its exit code, or None if it was not started."""
        if not self._process:
            return None
        self._process.stop()
        code, self._process = self._process.exit_code, None
        return code
