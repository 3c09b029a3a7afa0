"""The simulator: jobs, files, access and server, which start and stop together."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from types import TracebackType
from typing import Self

from devkit.simulator.access import Access, SimulatorSettings
from devkit.simulator.generation import PAGE, Generation
from devkit.simulator.jobs import Container, Job, JobBook, OnMatches
from devkit.simulator.large_output import LargeOutput
from devkit.simulator.life import CLEAN, Life
from devkit.simulator.routes import BASE_PATH, Asked, Routes
from devkit.simulator.script import OVERTURE_RELEASE, Script
from devkit.simulator.server import HOST, SimulatorServer

WRITE_EVERY = 0.1
"""Real seconds between two attempts to write due outputs when there are no requests."""


def _now() -> datetime:
    return datetime.now(UTC)


class GemSimulator:
    """GEM on a loopback port, with files in a container. A context manager.

    Args:
        container: an `azure.storage.blob.ContainerClient`, or an object with its `upload_blob`.
        settings: key, tokens, speed and port.
        clock: returns the current time, with a time zone.
        on_matches: see `jobs.OnMatches`.

    """

    def __init__(
        self,
        container: Container,
        settings: SimulatorSettings | None = None,
        *,
        clock: Callable[[], datetime] = _now,
        on_matches: OnMatches | None = None,
    ) -> None:
        self.settings = settings or SimulatorSettings()
        self._clock = clock
        self._access = Access(self.settings)
        self._book = JobBook(
            container, clock, time_scale=self.settings.time_scale, on_matches=on_matches
        )
        self._routes = Routes(self._book, self._access, clock)
        self._server = SimulatorServer(
            self._routes, port=self.settings.port, hold_seconds=self.settings.hold_seconds
        )
        self._stopped = Event()
        self._writer = Thread(target=self._write, name="gem-simulator-writer", daemon=True)

    def __enter__(self) -> Self:
        self._server.start()
        self._writer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._writer.join()
        self._server.stop()

    @property
    def origin(self) -> str:
        """The origin of `/token` and `/control/`, such as `http://127.0.0.1:40123`."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The value for `GEM_API_BASE_URL`."""
        return f"{self.origin}{BASE_PATH}"

    @property
    def api_key(self) -> str:
        """The value for `GEM_API_KEY`."""
        return self.settings.api_key

    @property
    def token(self) -> str:
        """A bearer token of the settings, or a new one if they have none."""
        return min(self.settings.tokens, default=None) or self.issue_token()

    @property
    def requests(self) -> tuple[Asked, ...]:
        """All requests to the endpoints of GEM, oldest first."""
        return self._routes.log

    def issue_token(self) -> str:
        """A new bearer token, like one of `POST /token`."""
        return self._access.issue(self._clock())

    def expire_tokens(self) -> None:
        """Make all existing tokens invalid, also those of the settings."""
        self._access.expire_all()

    def add_job(  # noqa: PLR0913 - by name; each may be absent on its own
        self,
        job_run_id: str,
        life: Life = CLEAN,
        *,
        rows: int = 400,
        input_file_name: str | None = None,
        seed: int = 0,
        upload_input: bool = True,
        large_output: LargeOutput | None = None,
        generation: Generation = PAGE,
        overture_release: str = OVERTURE_RELEASE,
    ) -> Job:
        """Create a job that starts now; see `JobBook.add`.

        Args:
            job_run_id: the id; a job with this id is replaced.
            life: the life in simulated seconds.
            rows: number of roads in the input.
            input_file_name: None for the job's id and ".parquet".
            seed: seed of roads and matches.
            upload_input: whether to upload the input file.
            large_output: an output that was written before; replaces `rows` and `seed`.
            generation: whose words the answers and the output have.
            overture_release: which release the answers name.

        """
        script = Script(
            life=life,
            rows=rows,
            seed=seed,
            input_file_name=input_file_name,
            upload_input=upload_input,
            large_output=large_output,
            generation=generation,
            overture_release=overture_release,
        )
        return self._book.add(job_run_id, script)

    def job(self, job_run_id: str) -> Job:
        """A job by its id.

        Raises:
            KeyError: the job does not exist.

        """
        job = self._book.find(job_run_id)
        if job is None:
            raise KeyError(job_run_id)
        return job

    def write_due_outputs(self) -> tuple[str, ...]:
        """Write all outputs that are due now. Returns the errors of storage as texts."""
        return self._book.write_due()

    def _write(self) -> None:
        while not self._stopped.wait(WRITE_EVERY):
            # A failed output stays due, and the details endpoint then answers 500.
            self._book.write_due()
