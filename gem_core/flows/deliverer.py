"""What a delivery depends on: storage, the results queue, the audit, the clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gem_core.audit.audit import audit
from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.deliver.attempts import Attempts
from gem_core.deliver.outbox import Outbox
from gem_core.gem.job import GemJob
from gem_core.watch.registry import JobRegistry


class Files(Protocol):
    """The storage from which GEM reads inputs and to which it writes outputs."""

    def open(self, storage_id: str | None, name: str) -> Source:
        """Open a file; every read is of the version that it has now. Raises OutputError."""
        ...


class ManifestQueue(Protocol):
    """The results queue."""

    def send(self, body: str) -> None:
        """Send one message. Raises StoreError."""
        ...


class Audit(Protocol):
    """Audits an output; see `audit.audit.audit`."""

    def __call__(
        self,
        output: Source,
        job: GemJob,
        *,
        input_source: Source | None,
        input_note: str,
        expected_input: str | None,
    ) -> Report:
        """Audit one version of an output. Raises OutputChanged, OutputUnreachable."""
        ...


type MakePage = Callable[[Report, Source | None, datetime], str]
"""Makes an HTML page from a report, its output (None when none was opened) and the time of the
audit."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """The dependencies of a delivery."""

    registry: JobRegistry
    outbox: Outbox
    attempts: Attempts
    queue: ManifestQueue
    files: Files
    job_url: Callable[[str], str]
    output_grace: timedelta
    input_audit: bool
    clock: Callable[[], datetime]
    make_page: MakePage | None = None
    """With None no page is made."""
    audit: Audit = audit
