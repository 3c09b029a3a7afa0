"""The parts of a manifest that come from an audit. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gem_core.audit.judging.ruleset import no_checks
from gem_core.audit.reading.source import Source
from gem_core.deliver.manifest import AuditParts
from gem_core.watch.record import JobRecord

CLOCK_SLACK = timedelta(minutes=1)
"""How far the clocks of GEM and of the storage may differ."""


def audit_parts(
    report: Mapping[str, Any] | None,
    output: Source | None,
    record: JobRecord,
    now: datetime,
    search: Mapping[str, Any] | None = None,
) -> AuditParts:
    """The parts of a manifest that come from an audit.

    Args:
        report: the report of the audit as JSON, see `judging.report_json`; None for a job without
            an audit.
        output: the version that was audited; None when no file was opened.
        record: the job's record.
        now: when the audit ended.
        search: as JSON, where the output of a job was looked for that has none.

    """
    if report is None:
        return AuditParts(checks=no_checks(), search=search)
    return AuditParts(
        subject=f"{output.container}/{output.name}" if output else "",
        output=report["output"] | _file(output, record) if output else None,
        input=report["input"],
        match=report["match"],
        statistics=report["statistics"],
        checks=report["checks"],
        audited_at=now,
        drift=tuple(report["drift"]),
    )


def _file(output: Source, record: JobRecord) -> dict[str, object]:
    written = output.last_modified
    modified_at = record.job.modified_at if record.job else None
    rewritten = written - modified_at > CLOCK_SLACK if written and modified_at else None
    return file_parts(output) | {"rewrittenSinceModifiedAt": rewritten}


def file_parts(source: Source) -> dict[str, object]:
    """Address, name and version of a file."""
    written = source.last_modified
    return {
        "url": source.url,
        "container": source.container,
        "name": source.name,
        "etag": source.etag,
        "versionId": source.version_id,
        "bytes": source.size_bytes,
        "lastModified": written.isoformat() if written else None,
    }
