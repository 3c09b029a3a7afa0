"""The files that a finished job is about. Edges come in as arguments."""

from dataclasses import dataclass

from gem_core.audit.reading.source import Source
from gem_core.errors import OutputError, OutputMissing, OutputUnreachable
from gem_core.flows.deliverer import Deliverer
from gem_core.gem.contracts.known import contract_of
from gem_core.gem.job import GemJob


def output_name(job: GemJob) -> str:
    """The file to audit: the one that GEM names, else the one that the contract promises.

    Raises:
        OutputMissing: GEM names neither output nor input.
        RecordUnreadable: this version does not know the contract that GEM answered in.

    """
    contract_of(job)  # nothing is concluded from an answer that only a newer version can read
    if name := job.output_name or job.promised_output:
        return name
    raise OutputMissing("GEM names neither an output nor an input file")


@dataclass(frozen=True, slots=True)
class OpenedInput:
    """The input file, or why the audit goes without it."""

    source: Source | None = None
    note: str = ""
    may_come: bool = False
    """Another try may be able to open it."""
    left_out: bool = False
    """It could be opened; audits that read it never ended."""


def open_input(deliverer: Deliverer, job: GemJob, *, leave_out: bool) -> OpenedInput:
    """The input file, or why the audit goes without it: that never fails an output.

    `leave_out` says that audits which read it never ended. It is opened all the same, so that an
    input that is not there is not blamed.
    """
    if not deliverer.input_audit:
        return OpenedInput(note="turned off by GEM_INPUT_AUDIT")
    if not job.input_name:
        return OpenedInput(note="GEM names no input file")
    try:
        source = deliverer.files.open(job.storage_id, job.input_name)
    except OutputError as error:
        note = f"the input file cannot be read: {error}"
        return OpenedInput(note=note, may_come=isinstance(error, OutputUnreachable))
    if leave_out:
        return OpenedInput(note="the audits that read the input never ended", left_out=True)
    return OpenedInput(source)
