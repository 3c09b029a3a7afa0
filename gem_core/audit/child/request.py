"""What is to be audited, and the question to a child about it. Pure."""

from dataclasses import dataclass, replace

from gem_core.audit.child.limits import Limits
from gem_core.audit.child.messages import FileFacts, Question, ReleaseFacts
from gem_core.audit.child.result import PageOptions
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.options import DEFAULT_OPTIONS, AuditOptions
from gem_core.audit.overture.release import NoRelease, Release
from gem_core.audit.reading.source import Source, known
from gem_core.gem.job import GemJob


@dataclass(frozen=True, slots=True)
class Request:
    """One version of an output, and what it is compared with."""

    output: Source | None
    """None when the job leads to no file."""
    job: GemJob
    input_source: Source | None = None
    input_note: str = ""
    expected_input: str | None = None
    options: AuditOptions = DEFAULT_OPTIONS
    page: PageOptions | None = None
    with_progress: bool = False
    not_opened: NotOpened | None = None
    """Why the output is reported without an audit; None audits it."""
    release: Release | NoRelease | None = None
    """Where to look GERS ids up, or why nowhere; None when nobody asked for it."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that a child may read, in the order of their numbers."""
        release = self.release
        of_release = (*release.files, release.listing) if isinstance(release, Release) else ()
        return (*filter(None, (self.output, self.input_source)), *of_release)

    @property
    def address(self) -> str:
        """Of the output, for an error; of a job that leads to no file its id."""
        return self.output.url if self.output else self.job.job_run_id

    def without_input(self, reason: str) -> "Request":
        """The same, but the input is not read."""
        return replace(self, input_source=None, input_note=reason)

    def not_audited(self, reason: str) -> "Request":
        """The same, but no file is read."""
        why = NotOpened(Obstacle.ENDED_EARLY, reason)
        return replace(self.without_input(""), not_opened=why, release=None)

    def question(self, limits: Limits, token: str) -> tuple[Question, bytes]:
        """The message, and its body. The token must be one that nobody can guess."""
        source, release = self.input_source, self.release
        question = Question(
            token=token,
            output=_facts(self.output) if self.output else None,
            job=self.job,
            input_file=_facts(source) if source else None,
            input_note=self.input_note,
            expected_input=self.expected_input,
            options=self.options,
            page=self.page,
            with_progress=self.with_progress,
            cpu_seconds=limits.cpu_seconds,
            look_up_cpu_seconds=limits.look_up_cpu_seconds,
            page_cpu_seconds=limits.page_cpu_seconds,
            not_opened=self.not_opened,
            release=_release_facts(release) if isinstance(release, Release) else None,
            no_release=release if isinstance(release, NoRelease) else None,
        )
        return question, b"".join(each.head for each in self.sources)


def _release_facts(release: Release) -> ReleaseFacts:
    return ReleaseFacts(
        release.name,
        release.parts,
        tuple(map(_facts, release.files)),
        _facts(release.listing),
        release.registry_note,
        release.next_name,
        release.unproven,
        release.stands_in_for,
    )


def _facts(source: Source) -> FileFacts:
    return FileFacts(**known(source), head_bytes=len(source.head))
