"""What is to be audited, and the question to a child about it. Pure."""

from dataclasses import dataclass, replace

from gem_core.audit.child.limits import Limits
from gem_core.audit.child.messages import FileFacts, Question
from gem_core.audit.child.result import PageOptions
from gem_core.audit.options import DEFAULT_OPTIONS, AuditOptions
from gem_core.audit.reading.source import Source
from gem_core.gem.job import GemJob


@dataclass(frozen=True, slots=True)
class Request:
    """One version of an output, and what it is held against."""

    output: Source
    job: GemJob
    input_source: Source | None = None
    input_note: str = ""
    expected_input: str | None = None
    options: AuditOptions = DEFAULT_OPTIONS
    page: PageOptions | None = None
    with_progress: bool = False
    not_audited: str = ""
    """Why the output is reported without an audit; empty audits it."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that a child may read, in the order of their numbers."""
        return (self.output, self.input_source) if self.input_source else (self.output,)

    def without_input(self, reason: str) -> "Request":
        """The same, but the input is not read."""
        return replace(self, input_source=None, input_note=reason)

    def question(self, limits: Limits) -> tuple[Question, bytes]:
        """The message, and its body."""
        source = self.input_source
        question = Question(
            output=_facts(self.output),
            job=self.job,
            input_file=_facts(source) if source else None,
            input_note=self.input_note,
            expected_input=self.expected_input,
            options=self.options,
            page=self.page,
            with_progress=self.with_progress,
            cpu_seconds=limits.cpu_seconds,
            page_cpu_seconds=limits.page_cpu_seconds,
            not_audited=self.not_audited,
        )
        return question, b"".join(each.head for each in self.sources)


def _facts(source: Source) -> FileFacts:
    return FileFacts(
        url=source.url,
        container=source.container,
        name=source.name,
        etag=source.etag,
        size_bytes=source.size_bytes,
        last_modified=source.last_modified,
        version_id=source.version_id,
        head_bytes=len(source.head),
    )
