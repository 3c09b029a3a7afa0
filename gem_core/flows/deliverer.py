"""What a delivery depends on: storage, the queues of the routes, the audit, the clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.not_opened import NotOpened
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.reading.source import Source
from gem_core.deliver.outbox import Outbox
from gem_core.gem.job import GemJob
from gem_core.settings.route import Route
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.registry import JobRegistry
from gem_core.watch.schedule import Policy


class Files(Protocol):
    """The storage from which GEM reads inputs and to which it writes outputs."""

    def open(self, storage_id: str | None, name: str) -> Source:
        """Open a file; every read is of the version that it has now. Raises OutputError."""
        ...

    def address(self, storage_id: str | None, name: str) -> str:
        """The address of a file; makes no request. Raises OutputRefused."""
        ...

    def names(self, storage_id: str | None, prefix: str) -> Sequence[str]:
        """The first names of files that begin with `prefix`. Raises OutputError."""
        ...


class ManifestQueue(Protocol):
    """The queue of a route."""

    def send(self, body: str) -> None:
        """Send one message. Raises StoreError."""
        ...


class Audit(Protocol):
    """Audits an output; see `Engine.audit`."""

    def __call__(
        self,
        output: Source,
        job: GemJob,
        *,
        input_source: Source | None,
        input_note: str,
        expected_input: str | None,
        page: PageOptions | None,
        release: Release | NoRelease | None,
    ) -> AuditResult:
        """Audit one version of an output. Raises OutputChanged, OutputUnreachable, AuditError."""
        ...


class ReportNotOpened(Protocol):
    """Reports an output that is not opened; see `Engine.not_opened`."""

    def __call__(
        self, job: GemJob, why: NotOpened, output: Source | None, *, page: PageOptions | None
    ) -> AuditResult:
        """Report it; `output` is None when the job leads to no file. Raises AuditError."""
        ...


class PageMode(Enum):
    """Whether a report gets a page."""

    NONE = "no page"
    PLAIN = "a page without a map"
    WITH_MAP = "a page with a map"


@dataclass(frozen=True, slots=True)
class Deliverer:
    """The dependencies of a delivery."""

    registry: JobRegistry
    heartbeat: Heartbeat
    outbox: Outbox
    routes: tuple[Route, ...]
    queues: Mapping[str, ManifestQueue]
    """By the name of the route."""
    files: Files
    job_url: Callable[[str], str]
    output_grace: timedelta
    input_audit: bool
    policy: Policy
    clock: Callable[[], datetime]
    sleep: Callable[[float], object]
    """Waits for so many seconds."""
    audit: Audit
    report_not_opened: ReportNotOpened
    page: PageMode = PageMode.NONE
    page_url: str = ""
    """The address of a page for readers, with placeholders; empty if they cannot open pages."""
    find_release: Callable[[str | None], Release | NoRelease] | None = None
    """From the release of a job to Overture's changelog of it. Never raises. None: GERS ids are
    not looked up."""
