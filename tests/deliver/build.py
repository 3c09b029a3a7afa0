"""Findings and messages as several tests begin with them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import AuditParts, manifest, manifest_id, whole_event
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement
from tests.builders import JOB, job, new_record
from tests.fakes import START

REPORT = "https://state.example/gem-reports/job/id/report.json"


ID = manifest_id(JOB, START, version="0x1", ruleset="1")


def settled(**fields: object) -> JobRecord:
    record = new_record().answered(job("finished", **fields), START)
    return record.settled(Settlement.FINISHED, START + timedelta(minutes=1))


def findings(**parts: Any) -> AuditParts:  # noqa: ANN401 - parts of a dataclass
    output: dict[str, Any] = {
        "bytes": 4,
        "rows": 2,
        "rowGroups": 1,
        "columns": [{"name": "id", "type": "int64"}],
        "url": "https://output.example/default/roads_matched.parquet",
        "container": "default",
        "name": "roads_matched.parquet",
        "etag": "0x1",
        "versionId": None,
        "lastModified": START.isoformat(),
        "rewrittenSinceModifiedAt": False,
    }
    whole = AuditParts(
        subject="default/roads_matched.parquet",
        output=output | parts.pop("output", {}),
        audited_at=START + timedelta(minutes=2),
    )
    return replace(whole, **parts)


def check(verdict: str = "failed", severity: str = "error", **more: object) -> dict[str, Any]:
    return {
        "name": "status_values",
        "severity": severity,
        "verdict": verdict,
        "title": "match_status is matched or unmatched",
        **more,
    }


def event(record: JobRecord, found: AuditParts, *, report_url: str = REPORT) -> dict[str, Any]:
    return whole_event(
        record,
        found,
        id_=ID,
        outcome=Outcome.VALID,
        ruleset="1",
        job_url=f"https://gem.example/jobs/{JOB}",
        report_url=report_url,
        now=START + timedelta(minutes=3),
    )


def message(record: JobRecord, found: AuditParts) -> CloudEvent:
    return manifest(event(record, found))
