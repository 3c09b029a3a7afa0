"""Looks at the storage that GEM writes to. Pure: it comes as an edge."""

from gem_core.doctor.finding import Finding, fail, ok, skipped
from gem_core.doctor.installation import Installation
from gem_core.errors import OutputError, OutputMissing
from gem_core.flows.job_files import output_name
from gem_core.gem.job import GemJob, JobStatus
from gem_core.settings.rules import STORAGE_ID

NO_FILE = "gem-courier-doctor.parquet"
"""Nobody has it: what says that it is missing was allowed to look."""
_REMEDY = (
    "give the identity of GEM_OUTPUT Storage Blob Data Reader on that account (or mend its secret "
    "or key), look at its firewall, and check GEM_OUTPUT and GEM_OUTPUT_CONTAINER"
)
_MAGIC_BYTES = 4


def outputs(installation: Installation) -> Finding:
    """Whether outputs can be read: the newest one that there is, else one that there is not."""
    jobs = _jobs(installation)
    finished = next((job for job in jobs if _has_output(job)), None)
    try:
        if finished:
            return _newest(installation, finished)
        storage_id = next((job.storage_id for job in jobs if job.storage_id), None)
        if storage_id is None and _needs_storage_id(installation):
            return skipped("no job has told its storage yet, and GEM_OUTPUT needs it")
        installation.files().open(storage_id, NO_FILE)
    except OutputMissing:
        return ok(
            "read: a file that is not there is said to be missing; no job told of an output yet"
        )
    except OutputError as error:
        return fail(str(error), _REMEDY)
    return ok(f"read, even {NO_FILE}")


def _newest(installation: Installation, job: GemJob) -> Finding:
    name = output_name(job)
    try:
        source = installation.files().open(job.storage_id, name)
        source.read(0, min(_MAGIC_BYTES, source.size_bytes))
    except OutputMissing:
        return ok(f"read: {name} of the newest finished job is said to be missing")
    return ok(f"read {name} of the newest finished job")


def inputs(installation: Installation) -> Finding:
    """Whether the newest job's input can be opened; the audit does without it otherwise."""
    if not installation.settings.input_audit:
        return skipped("turned off by GEM_INPUT_AUDIT")
    job = next((job for job in _jobs(installation) if job.input_name), None)
    if job is None:
        return skipped(
            "no job has told its input yet; inputs are read by the same right as outputs"
        )
    try:
        installation.files().open(job.storage_id, job.input_name or "")
    except OutputMissing:
        return skipped("the newest job's input is not there any more: its audit does without")
    except OutputError as error:
        return fail(str(error), _REMEDY)
    return ok(f"{job.input_name} of the newest job can be opened")


def _jobs(installation: Installation) -> list[GemJob]:
    return [record.job for record in installation.recent() if record.job]


def _has_output(job: GemJob) -> bool:
    """Whether GEM has told where the output of a job is."""
    is_named = job.output_name or job.input_name
    return job.status is JobStatus.FINISHED and bool(is_named)


def _needs_storage_id(installation: Installation) -> bool:
    chosen = installation.settings
    return STORAGE_ID in (chosen.output.blob_service_uri or "") + chosen.output_container
