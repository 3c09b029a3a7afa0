"""The audit engine of the world: its child is killed, too slow or too large, before and after it
reads.
"""

from dataclasses import dataclass
from typing import Protocol

from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.reading.source import Source
from gem_core.flows.deliverer import Audit
from gem_core.gem.job import GemJob
from tests.audit.child.not_opened import not_opened_in_process


class ChildGrown(Exception):
    """A fresh child took too much memory, again and again."""


class Child:
    """The edge that can fail; see `faults`."""

    def start(self, name: str) -> None:
        """The child got its question."""

    def answer(self, name: str) -> None:
        """The child gives its verdict."""


class Points(Protocol):
    """The same, watched."""

    def start(self, name: str) -> None:
        """See `Child`."""

    def answer(self, name: str) -> None:
        """See `Child`."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An audit between two points at which the child may end."""

    points: Points
    inner: Audit

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
        """Audit one version of an output. Raises AuditError as `Engine.audit` of the app does."""
        try:
            self.points.start(output.name)
            result = self.inner(
                output,
                job,
                input_source=input_source,
                input_note=input_note,
                expected_input=expected_input,
                page=page,
                release=release,
            )
            self.points.answer(output.name)
        except ChildGrown:
            why = NotOpened(Obstacle.ENDED_EARLY, "it takes more memory than an audit has")
            return not_opened_in_process(job, why, output, page=page)
        return result
