"""The part of a delivery that audits: the output as it is now leads to a manifest that is stored.

Edges come in as arguments.
"""

from contextlib import suppress

from gem_core.audit.audit import changed_report, given_up_report, refused_report
from gem_core.audit.report import Report
from gem_core.audit.source import Source
from gem_core.deliver.manifest import Manifest
from gem_core.errors import (
    OutputChanged,
    OutputError,
    OutputMissing,
    OutputRefused,
    OutputUnreachable,
    StoreError,
)
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.keep_manifest import id_of, keep, settled_at
from gem_core.gem.job import GemJob
from gem_core.logs import Event, log
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord

MAX_AUDITS = 3
"""Of one ticket: an output that changes each time it is read is reported as such."""
MAX_BEGUN = 10
"""Audits of one output that began and never ended: the host's five tries of two tickets."""


def audited(deliverer: Deliverer, record: JobRecord, job: GemJob) -> Manifest | None:
    """The manifest of the output as it is now; None while it may still appear."""
    for _ in range(MAX_AUDITS):
        try:
            output = deliverer.files.open(job.storage_id, output_name(job))
            if held := deliverer.outbox.get(record.job_run_id, id_of(record, output.etag)):
                return held
            report, version = _report(deliverer, record, job, output)
            kept = keep(deliverer, record, report.outcome, version, report, output)
            _look_once_more(output)
        except OutputMissing:
            if deliverer.clock() - settled_at(record) < deliverer.output_grace:
                return None
            return keep(deliverer, record, Outcome.OUTPUT_MISSING, Outcome.OUTPUT_MISSING)
        except OutputRefused as error:
            report = refused_report(job, str(error))
            return keep(deliverer, record, Outcome.INVALID, "refused", report)
        except OutputChanged:
            log(Event.OUTPUT_CHANGED, job_run_id=record.job_run_id)
        else:
            return kept
    # Not under the last ETag: a file that holds still later is to be audited as what it is then.
    return keep(deliverer, record, Outcome.INVALID, "changed", changed_report(output, job))


def _look_once_more(output: Source) -> None:
    """See that the manifest to be sent is about the output that is there: drawing took a while.

    Raises:
        OutputChanged: it is another one by now, or gone.

    """
    with suppress(OutputUnreachable):  # what the manifest says stays true of what was audited
        if output.size_bytes:
            output.read(0, 1)


def _report(
    deliverer: Deliverer, record: JobRecord, job: GemJob, output: Source
) -> tuple[Report, str]:
    """The report of an output, and the version that its manifest speaks of."""
    this = record.job_run_id, id_of(record, output.etag)
    begun = deliverer.outbox.begin(*this)
    if begun > MAX_BEGUN:
        # Each audit ended the process: say so, rather than try for ever. A redelivery tries anew.
        deliverer.outbox.end(*this)
        return given_up_report(output, job, begun=begun - 1), f"given-up {output.etag}"
    given, note = _input(deliverer, job)
    try:
        report = deliverer.audit(
            output,
            job,
            input_source=given,
            input_note=note,
            expected_input=record.expected_input_file_name,
        )
    except (OutputError, StoreError):
        # Of storage, not of the file. All else would come again each time: its count stands.
        deliverer.outbox.end(*this)
        raise
    deliverer.outbox.end(*this)
    log(
        Event.OUTPUT_AUDITED,
        job_run_id=job.job_run_id,
        outcome=report.outcome,
        rows=report.rows,
        share_matched=report.share_matched,
        bytes=output.size_bytes,
        bytes_read=report.bytes_read,
        requests=report.requests,
    )
    return report, output.etag


def _input(deliverer: Deliverer, job: GemJob) -> tuple[Source | None, str]:
    """The input file, or why there is none. It never fails an output that it cannot be read."""
    if not deliverer.input_audit:
        return None, "turned off by GEM_INPUT_AUDIT"
    if not job.input_file_name:
        return None, "GEM names no input file"
    try:
        return deliverer.files.open(job.storage_id, job.input_file_name), ""
    except OutputError as error:
        return None, f"the input file cannot be read: {error}"


def output_name(job: GemJob) -> str:
    """The file to audit: the one that GEM names, else by the documented pattern.

    Source: "Get job details", output file: `{original_filename}_matched.parquet`, where the example
    shows that the original's own suffix is dropped.

    Raises:
        OutputMissing: GEM names neither output nor input.

    """
    if job.output_file_name:
        return job.output_file_name
    if not job.input_file_name:
        raise OutputMissing("GEM names neither an output nor an input file")
    return f"{job.input_file_name.removesuffix('.parquet')}_matched.parquet"
