"""The messages between parent and child. Pure values.

A file has a number, `OUTPUT` or `INPUT`. The parent opened it; the child never names an address.
"""

from dataclasses import dataclass
from enum import StrEnum

from gem_core.audit.child.result import AuditResult, PageOptions
from gem_core.audit.judging.not_opened import NotOpened
from gem_core.audit.options import AuditOptions
from gem_core.audit.overture.release import NoRelease, Part
from gem_core.audit.reading.source import Known
from gem_core.audit.rows.progress import Pass
from gem_core.gem.job import GemJob

OUTPUT, INPUT = 0, 1

MAX_RANGE_BYTES = 16 << 20
"""Of one request for a range; longer reads are cut into several."""
MAX_OUTSTANDING = 8
"""Ranges that the child may wait for at a time: four of each file, as the read-ahead asks."""

PARENT_GONE, OUT_OF_MEMORY = 70, 71
"""Exit codes of the child."""


@dataclass(frozen=True, slots=True)
class FileFacts(Known):
    """What is known of a file without reading it."""

    head_bytes: int
    """Length of its head, which is in the body of the message."""


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """The files of an Overture release. They have the numbers after output and input."""

    name: str
    parts: tuple[Part, ...]
    files: tuple[FileFacts, ...]
    listing: FileFacts
    """Its number follows those of the files."""
    registry_note: str
    next_name: str
    unproven: str
    stands_in_for: str


@dataclass(frozen=True, slots=True)
class Question:
    """Parent to child: report this output. The body is the head of the output, then the input's."""

    token: str
    """Of this question. No child can know it before it has received the question."""
    output: FileFacts | None
    """None when the job leads to no file."""
    job: GemJob
    input_file: FileFacts | None
    input_note: str
    expected_input: str | None
    options: AuditOptions
    page: PageOptions | None
    """None draws no page."""
    with_progress: bool
    cpu_seconds: int
    """For the audit; what follows has its own."""
    look_up_cpu_seconds: int
    page_cpu_seconds: int
    not_opened: NotOpened | None
    """Why the output is reported without an audit; None audits it."""
    release: ReleaseFacts | None = None
    """Where to look GERS ids up, once the audit has a verdict."""
    no_release: NoRelease | None = None
    """Why they cannot be looked up, if that was asked for."""

    @property
    def verdicts(self) -> int:
        """How many the child gives: the audit's, and one with what was looked up."""
        return 2 if self.release else 1


@dataclass(frozen=True, slots=True)
class RangeRead:
    """Parent to child: the bytes of a range, in the body."""

    id: int


class ReadProblem(StrEnum):
    """Why a range could not be read."""

    CHANGED = "changed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class RangeFailed:
    """Parent to child: a range could not be read."""

    id: int
    problem: ReadProblem
    detail: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Child to parent: everything is imported, and the limits hold."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Child to parent: it has this question. What it sent before is about another one."""

    token: str


@dataclass(frozen=True, slots=True)
class ReadRange:
    """Child to parent: send these bytes of a file."""

    id: int
    """Of this request; no other that is outstanding has it."""
    file: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Child to parent: how far the audit is."""

    doing: Pass
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Result:
    """Child to parent: the audit is done; the same with ids looked up, and the page, may come.

    The body is the file of failing rows, which the result lacks, or nothing.
    """

    result: AuditResult


@dataclass(frozen=True, slots=True)
class Done:
    """Child to parent, last: the body holds the page as HTML in UTF-8, or nothing."""

    page_problem: str
    needs_renewal: bool
    """Whether a file could not be read, which may have left the child in a bad state."""
    map_note: str = ""
    """See `AuditResult.map_note`."""


@dataclass(frozen=True, slots=True)
class OutputUnread:
    """Child to parent, last: the output could not be read. The parent knows why."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """Child to parent, last: an error that the reader does not expect, whichever file causes it."""

    detail: str


FROM_PARENT = (Question, RangeRead, RangeFailed)
FROM_CHILD = (Ready, Begun, ReadRange, Progress, Result, Done, OutputUnread, Crashed)
