"""Runs the Azurite storage emulator of this checkout on free loopback ports. Edge.

The flags and their reasons: the emulator sends telemetry by default, and refuses the
API version of the current SDKs without `--skipApiVersionCheck`.
"""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from devkit.processes import ChildError, ChildProcess, free_ports

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The published account and key of the emulator. They are the same on every machine, no secret."""

_ROOT = Path(__file__).resolve().parent.parent
_SCRIPT = _ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_NODE_PATH = _ROOT / ".venv" / "node-path"
_START_SECONDS = 120.0
_PORT_TRIES = 3

_SERVICES = ("blob", "queue", "table")
_LISTENING = "service is successfully listening at"
"""The pinned Azurite writes this once for each service, also with `--silent`."""

# Ends Azurite normally when this process closes Azurite's standard input (see `processes`).
_END_WITH_PARENT = (
    "data:text/javascript,"
    "process.stdin.resume().on('end',()=>process.kill(process.pid,'SIGTERM')).unref()"
)


def node() -> str:
    """The path of Node.js that the set-up chose. Raises ChildError before the set-up."""
    if not _NODE_PATH.exists():
        raise ChildError("this checkout is not set up: run make")
    return _NODE_PATH.read_text().strip()


class Azurite:
    """A context manager that runs one Azurite process: blob, queue and table on 127.0.0.1.

    Without `location`, the data is in memory and is lost when the process ends. With `oauth_cert`
    (certificate and key, PEM), the emulator uses HTTPS and accepts bearer tokens.
    """

    def __init__(
        self, location: Path | None = None, *, oauth_cert: tuple[Path, Path] | None = None
    ) -> None:
        self._location = location
        self._oauth_cert = oauth_cert
        self._ports: tuple[int, ...] = ()
        self._process: ChildProcess | None = None

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

    def start(self) -> None:
        """Start the emulator and wait for its ports. After `stop`, the same ports are used again.

        Raises:
            ChildError: the emulator did not start; the message contains its output.

        """
        if self._ports:
            self._launch(self._ports)
            return
        for left in reversed(range(_PORT_TRIES)):
            ports = free_ports(len(_SERVICES))
            try:
                self._launch(ports)
            except ChildError as error:
                # Another program may take a port between the choice and the start.
                if "EADDRINUSE" not in str(error) or not left:
                    raise
            else:
                self._ports = ports
                return

    def stop(self) -> None:
        """Stop the emulator with SIGTERM. It writes its data to `location` first."""
        if self._process:
            self._process.stop()
            shutil.rmtree(self._process.log.parent, ignore_errors=True)
            self._process = None

    def _launch(self, ports: tuple[int, ...]) -> None:
        folder = Path(tempfile.mkdtemp(prefix="azurite-"))
        self._process = ChildProcess(
            self._command(ports), log=folder / "azurite.log", folder=folder
        )
        try:
            self._process.wait_until(_is_ready, what="Azurite", seconds=_START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def _command(self, ports: tuple[int, ...]) -> list[str]:
        if not _SCRIPT.exists():
            raise ChildError("Azurite is not installed in this checkout: run make")
        command = [node(), "--import", _END_WITH_PARENT, str(_SCRIPT)]
        command += ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        for service, port in zip(_SERVICES, ports, strict=True):
            command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
        if self._location:
            command += ["--location", str(self._location.resolve())]
        else:
            command += ["--inMemoryPersistence"]
        if self._oauth_cert:
            cert, key = self._oauth_cert
            command += ["--oauth", "basic"]
            command += ["--cert", str(cert.resolve()), "--key", str(key.resolve())]
        return command

    @property
    def pid(self) -> int:
        """The process id of the running emulator."""
        if not self._process:
            raise ChildError("Azurite is not running")
        return self._process.pid

    @property
    def blob_uri(self) -> str:
        """The address of the blob service, with the account."""
        return self._uri(0)

    @property
    def queue_uri(self) -> str:
        """The address of the queue service, with the account."""
        return self._uri(1)

    def _uri(self, service: int) -> str:
        if not self._ports:
            raise ChildError("Azurite has not been started")
        return f"{self._scheme}://127.0.0.1:{self._ports[service]}/{ACCOUNT}"

    @property
    def _scheme(self) -> str:
        return "https" if self._oauth_cert else "http"

    @property
    def connection_string(self) -> str:
        """The connection string for blob, queue and table, with the published account key."""
        return (
            f"DefaultEndpointsProtocol={self._scheme};AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.blob_uri};QueueEndpoint={self.queue_uri};"
            f"TableEndpoint={self._uri(2)};"
        )


def _is_ready(process: ChildProcess) -> bool:
    """Whether all three services listen. The log is read because ports may be another program's."""
    return process.log_tail().count(_LISTENING) == len(_SERVICES)
