"""Shows what a delivery stored: manifest, report and page."""

from enum import StrEnum

from gem_core.errors import DocumentMissing
from gem_core.flows.manage_jobs import JobManager, registered_job


class JobDocument(StrEnum):
    """A document of a job's last delivery."""

    MANIFEST = "manifest"
    """The manifest, exactly as it was sent."""
    REPORT = "report"
    """The whole report, as JSON."""
    PAGE = "page"
    """The report as an HTML page."""


_WITHOUT_PAGE = ". Only an audit makes a page, and only with GEM_REPORT_PAGE"


def show_document(manager: JobManager, job_run_id: str, document: JobDocument) -> bytes:
    """A document of the last delivery of a job.

    Raises:
        JobUnknown: the job is not registered.
        DocumentMissing: no manifest was sent yet, or the document is not stored.

    """
    record = registered_job(manager, job_run_id).record
    if not record.manifest_id:
        raise DocumentMissing(f"no manifest of {job_run_id!r} was sent yet: it is {record.stage}")
    key = record.job_run_id, record.manifest_id
    match document:
        case JobDocument.MANIFEST:
            manifest = manager.outbox.get(*key)
            body = manifest.body.encode() if manifest else None
        case JobDocument.REPORT:
            body = manager.outbox.report(*key)
        case JobDocument.PAGE:
            body = manager.outbox.page(*key)
    if body is None:
        why = _WITHOUT_PAGE if document is JobDocument.PAGE else ""
        raise DocumentMissing(f"no {document} of {job_run_id!r} is stored{why}")
    return body
