"""What the audit found, as the parts of the manifest. Pure."""

from datetime import datetime, timedelta

from gem_core.audit.judging.report import Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.reading.source import Source
from gem_core.deliver.manifest import AuditParts
from gem_core.watch.record import JobRecord

CLOCK_SLACK = timedelta(minutes=1)
"""GEM's clock and the storage's need not agree to the second."""


def findings(
    report: Report | None, output: Source | None, record: JobRecord, now: datetime
) -> AuditParts:
    """The parts of the manifest that come from the audit; empty for a job without one."""
    if report is None:
        return AuditParts(subject="")
    parts = report_to_json(report)
    return AuditParts(
        subject=f"{output.container}/{output.name}" if output else "",
        output=parts["output"] | _place(output, record) if output else None,
        input=parts["input"],
        match=parts["match"],
        statistics=parts["statistics"],
        checks=tuple(parts["checks"]),
        audited_at=now,
    )


def _place(output: Source, record: JobRecord) -> dict[str, object]:
    written = output.last_modified
    modified_at = record.job.modified_at if record.job else None
    rewritten = written - modified_at > CLOCK_SLACK if written and modified_at else None
    return {
        "url": output.url,
        "container": output.container,
        "name": output.name,
        "etag": output.etag,
        "versionId": output.version_id,
        "bytes": output.size_bytes,
        "lastModified": written.isoformat() if written else None,
        "rewrittenSinceModifiedAt": rewritten,
    }
