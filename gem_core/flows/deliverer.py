"""What a delivery needs of the world: its edges, as the story sees them."""

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
    """Where GEM reads inputs and writes outputs."""

    def open(self, storage_id: str | None, name: str) -> Source:
        """A file, pinned to its present version. Raises OutputError."""
        ...


class ManifestQueue(Protocol):
    """Where manifests go."""

    def send(self, body: str) -> None:
        """Put one message on the queue. Raises StoreError."""
        ...


class Audit(Protocol):
    """What judges an output: `gem_core.audit.audit`."""

    def __call__(
        self,
        output: Source,
        job: GemJob,
        *,
        input_source: Source | None,
        input_note: str,
        expected_input: str | None,
    ) -> Report:
        """The report of one version of an output. Raises OutputChanged, OutputUnreachable."""
        ...


type MakePage = Callable[[Report, Source | None, datetime], str]
"""From a report, the output that it is about (None when none was opened) and the time of the audit:
an HTML page."""


@dataclass(frozen=True, slots=True)
class Deliverer:
    """All that it takes to deliver results."""

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
    """None makes no pages."""
    audit: Audit = audit
