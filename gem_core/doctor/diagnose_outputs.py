"""Diagnostics of the storage that GEM writes to. Pure: the storage is passed in."""

from gem_core.doctor.finding import NOT_SIGNED_IN_NOW, Finding, fail, ok, skipped
from gem_core.doctor.installation import Installation
from gem_core.errors import OutputError, OutputMissing, OutputWithoutToken
from gem_core.flows.job_files import output_name
from gem_core.gem.job import GemJob, JobStatus
from gem_core.settings.rules import STORAGE_ID

NO_FILE = "gem-courier-doctor.parquet"
"""A file that does not exist. Storage says so only to a client that may read."""
_REMEDY = (
    "give the identity of GEM_OUTPUT the role Storage Blob Data Reader on that account (or correct "
    "its secret or key), and check its firewall, GEM_OUTPUT and GEM_OUTPUT_CONTAINER"
)
_MAGIC_BYTES = 4


def outputs(installation: Installation) -> Finding:
    """Whether outputs can be read. Reads the newest output; without one, tries an absent file."""
    jobs = _jobs(installation)
    finished = next((job for job in jobs if _has_output(job)), None)
    try:
        if finished:
            return _read_output(installation, finished)
        storage_id = next((job.storage_id for job in jobs if job.storage_id), None)
        if storage_id is None and _needs_storage_id(installation):
            return skipped("GEM_OUTPUT needs a storage id, and GEM has not reported one yet")
        installation.files().open(storage_id, NO_FILE)
    except OutputMissing:
        return ok("read access works; no job has an output yet")
    except OutputError as error:
        return _failure(error)
    return ok(f"read access works; {NO_FILE} exists")


def _read_output(installation: Installation, job: GemJob) -> Finding:
    name = output_name(job)
    try:
        source = installation.files().open(job.storage_id, name)
        source.read(0, min(_MAGIC_BYTES, source.size_bytes))
    except OutputMissing:
        return ok(f"read access works; {name} of the newest finished job is missing")
    return ok(f"read {name} of the newest finished job")


def inputs(installation: Installation) -> Finding:
    """Whether the input of the newest job can be opened. The audit can run without the input."""
    if not installation.settings.input_audit:
        return skipped("turned off by GEM_INPUT_AUDIT")
    job = next((job for job in _jobs(installation) if job.input_name), None)
    if job is None:
        return skipped("GEM has not reported an input yet; the same right reads inputs and outputs")
    try:
        installation.files().open(job.storage_id, job.input_name or "")
    except OutputMissing:
        return skipped("the input of the newest job does not exist any more; its audit ignores it")
    except OutputError as error:
        return _failure(error)
    return ok(f"{job.input_name} of the newest job can be opened")


def _failure(error: OutputError) -> Finding:
    if isinstance(error, OutputWithoutToken):
        return fail(str(error).partition("; this usually")[0], NOT_SIGNED_IN_NOW)
    return fail(str(error), _REMEDY)


def _jobs(installation: Installation) -> list[GemJob]:
    return [record.job for record in installation.recent() if record.job]


def _has_output(job: GemJob) -> bool:
    """Whether a job is finished and GEM has reported enough to find its output."""
    is_named = job.output_name or job.input_name
    return job.status is JobStatus.FINISHED and bool(is_named)


def _needs_storage_id(installation: Installation) -> bool:
    settings = installation.settings
    return STORAGE_ID in (settings.output.blob_service_uri or "") + settings.output_container
