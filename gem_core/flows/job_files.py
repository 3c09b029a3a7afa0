"""The files that a finished job is about. Edges come in as arguments."""

from dataclasses import dataclass

from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError, OutputMissing, OutputUnreachable
from gem_core.flows.deliverer import Deliverer
from gem_core.gem.contracts.known import promised_output
from gem_core.gem.job import GemJob


def output_name(job: GemJob) -> str:
    """The file to audit: the one that GEM names, else the one that the contract promises.

    Raises:
        OutputMissing: GEM names neither output nor input.
        RecordUnreadable: this version does not know the contract that GEM answered in.

    """
    promised = promised_output(job)
    if name := job.output_name or promised:
        return name
    raise OutputMissing("GEM names neither an output nor an input file")


@dataclass(frozen=True, slots=True)
class Given:
    """The input file, or why there is none."""

    source: Source | None = None
    note: str = ""
    may_come: bool = False
    """Whether there is none for trouble that may pass."""
    left_out: bool = False
    """Whether it is there, and reading it seems to end the process."""


def open_input(deliverer: Deliverer, job: GemJob, *, is_deadly: bool) -> Given:
    """The input file, or why there is none. It never fails an output that it cannot be read.

    `is_deadly` says that audits which read it never ended; it is looked for all the same.
    """
    if not deliverer.input_audit:
        return Given(note="turned off by GEM_INPUT_AUDIT")
    if not job.input_name:
        return Given(note="GEM names no input file")
    try:
        source = deliverer.files.open(job.storage_id, job.input_name)
    except OutputError as error:
        note = f"the input file cannot be read: {error}"
        return Given(note=note, may_come=isinstance(error, OutputUnreachable))
    if is_deadly:
        return Given(note="the audits that read the input never ended", left_out=True)
    return Given(source)
