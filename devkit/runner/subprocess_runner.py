"""The runner as a child process, for tests and the demo. Edge."""

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
_START_SECONDS = 60.0


class Runner:
    """A context manager: one app in one process, ready when the block begins.

    The process sees the environment of this one, with `settings` in place of what has the same
    name. Its state in host storage is kept under `AzureFunctionsWebHost__hostid` when that is set,
    else under a name made from the app's folder: two runners of one app on one storage account
    share their messages unless each is given an id.
    """

    def __init__(
        self,
        app: Path,
        settings: Mapping[str, str],
        *,
        port: int = 0,
        log_path: Path | None = None,
    ) -> None:
        """`port` 0 takes a free one; `log_path` keeps the log after the end."""
        self._app = app
        self._port = port
        self._folder = Path(tempfile.mkdtemp(prefix="runner-"))
        self._tidy = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.log_path = log_path or self._folder / "runner.log"
        self.function_key = settings.get("RUNNER_FUNCTION_KEY") or secrets.token_urlsafe(24)
        self.master_key = settings.get("RUNNER_MASTER_KEY") or secrets.token_urlsafe(24)
        keys = {"RUNNER_FUNCTION_KEY": self.function_key, "RUNNER_MASTER_KEY": self.master_key}
        self.settings: Mapping[str, str] = {**settings, **keys}
        """What the app gets, and the runner's keys."""
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
        """Start it and wait until it is ready; also again after `kill` or `stop`.

        Raises:
            ChildError: it did not come up; the message holds its log.

        """
        file = self._folder / "settings.json"
        file.write_text(json.dumps({"IsEncrypted": False, "Values": dict(self.settings)}))
        command = [sys.executable, "-m", "devkit.runner", "--with-parent"]
        command += ["--app", str(self._app.resolve()), "--settings", str(file)]
        command += ["--port", str(self._port)]
        # A variable of this process must not beat a setting that was asked for.
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
            file.unlink()  # it holds keys, and has been read

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
    def running(self) -> bool:
        """Whether it was started and has not ended since, by itself or otherwise."""
        return self._process is not None and self._process.running

    @property
    def log(self) -> str:
        """What it wrote since its last start."""
        return self.log_path.read_text(errors="replace")

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL)."""
        if self._process:
            self._process.kill()
            self._process = None

    def stop(self) -> int | None:
        """Stop it by SIGTERM; its exit code, None when it did not run."""
        if not self._process:
            return None
        self._process.stop()
        code, self._process = self._process.exit_code, None
        return code
