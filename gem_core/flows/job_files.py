"""The input and output files of a finished job."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from gem_core.audit.reading.source import Source
from gem_core.deliver.search import Search
from gem_core.errors import OutputError, OutputMissing, OutputRefused, OutputUnreachable
from gem_core.flows.deliverer import Deliverer
from gem_core.gem.contracts.known import contract_of
from gem_core.gem.job import GemJob

MAX_OTHER_NAMES = 5
"""Names of other files that a manifest lists."""


def output_name(job: GemJob) -> str:
    """The name of the file to audit: what GEM says, else what the contract promises.

    Raises:
        OutputMissing: GEM names neither output nor input.
        RecordUnreadable: this version does not know the contract of GEM's answer.

    """
    contract_of(job)  # raises if only a newer version can read the answer
    if name := job.output_name or job.promised_output:
        return name
    raise OutputMissing("GEM names neither an output nor an input file")


def look_for(deliverer: Deliverer, job: GemJob, names: Iterable[str]) -> Search:
    """Look for files that are reported, and not audited.

    The names are those of GEM's pages. Such a file may belong to another job, so nothing is
    concluded from it. A storage that cannot be reached never holds back a manifest.
    """
    expected = job.output_name or job.promised_output
    found: list[Source] = []
    others: tuple[str, ...] = ()
    problem = ""
    for name in names:
        try:
            found.append(deliverer.files.open(job.storage_id, name))
        except OutputUnreachable as error:
            problem = str(error)
            break
        except OutputError:  # there is no such file, or it is no plain name
            continue
    if expected and not problem:
        others, problem = _other_names(deliverer, job, expected, {source.name for source in found})
    url = _address(deliverer, job, expected)
    return Search(job.storage_id, expected, url, found, others, problem)


def _other_names(
    deliverer: Deliverer, job: GemJob, expected: str, told: Collection[str]
) -> tuple[tuple[str, ...], str]:
    """Other names in the expected one's folder that begin as the job's do, and what went wrong.

    Spark writes a folder of the expected name, with `_SUCCESS` and part files.
    """
    folder, slash, name = expected.rpartition("/")
    stem = PurePosixPath(job.input_name or name).stem
    stem = f"{folder}{slash}{stem if name.startswith(stem) else PurePosixPath(name).stem}"
    try:
        names = deliverer.files.names(job.storage_id, stem)
    except OutputRefused:
        return (), ""
    except OutputError as error:
        return (), str(error)
    others = [
        name
        for name in names
        if name not in {job.input_name, expected, *told} and not name[len(stem) :][:1].isalnum()
    ]
    return tuple(others[:MAX_OTHER_NAMES]), ""


def _address(deliverer: Deliverer, job: GemJob, name: str | None) -> str | None:
    try:
        return deliverer.files.address(job.storage_id, name) if name else None
    except OutputRefused:
        return None


@dataclass(frozen=True, slots=True)
class OpenedInput:
    """The input file, or why the audit does not read it."""

    source: Source | None = None
    note: str = ""
    retryable: bool = False
    """A later try may be able to open the file."""
    skipped: bool = False
    """The file can be opened, but audits that read it never ended."""


def open_input(deliverer: Deliverer, job: GemJob, *, skip: bool) -> OpenedInput:
    """Open the input file. A problem with it never makes an output invalid.

    Args:
        deliverer: the dependencies.
        job: the finished job.
        skip: audits that read the input never ended, so this one does not read it. The file is
            opened all the same: an input that does not exist is not the reason.

    """
    if not deliverer.input_audit:
        return OpenedInput(note="turned off by GEM_INPUT_AUDIT")
    if not job.input_name:
        return OpenedInput(note="GEM names no input file")
    try:
        source = deliverer.files.open(job.storage_id, job.input_name)
    except OutputError as error:
        note = f"the input file cannot be read: {error}"
        return OpenedInput(note=note, retryable=isinstance(error, OutputUnreachable))
    if skip:
        return OpenedInput(note="the audits that read the input never ended", skipped=True)
    return OpenedInput(source)
