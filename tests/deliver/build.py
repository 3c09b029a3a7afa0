"""Parts of an audit, events and messages with which several tests begin."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from gem_core.audit.against_input.input_facts import InputFacts
from gem_core.audit.judging.check import Severity
from gem_core.audit.judging.facts import Facts
from gem_core.audit.judging.not_opened import NotOpened, Obstacle
from gem_core.audit.judging.report import CheckResult, Report
from gem_core.audit.judging.report_json import report_to_json
from gem_core.audit.judging.ruleset import no_checks
from gem_core.audit.judging.verdict import Judgement, Verdict
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.manifest import AuditParts, Links, manifest, manifest_id, whole_event
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, Settlement
from tests.builders import JOB, job, new_record
from tests.fakes import START

REPORT = "https://state.example/gem-reports/job/id/report.json"


ID = manifest_id(JOB, START, version="0x1", ruleset="1")

NO_AUDIT = AuditParts(checks=no_checks())


def settled(**fields: object) -> JobRecord:
    record = new_record().answered(job("finished", **fields), START)
    return record.settled(Settlement.FINISHED, START + timedelta(minutes=1))


_OUTPUT = {
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
_INPUT = {
    "name": "roads.parquet",
    "rows": 2,
    "columnsCompared": True,
    "idsCompared": True,
    "valuesCompared": False,
    "differences": [],
    "note": None,
    "bytesRead": 4,
    "requests": 1,
}


def parts(
    *checks: CheckResult,
    output: Mapping[str, Any] | None = None,
    input: Mapping[str, Any] | None = None,  # noqa: A002 - as the manifest has it
    **more: Any,  # noqa: ANN401 - parts of a dataclass
) -> AuditParts:
    """Correct parts, with these changes."""
    file = NotOpened(Obstacle.NAMES, "a name that is a path")
    facts = Facts(job=job(), file=file, name=None, size_bytes=None, input=InputFacts())
    report = Report(Outcome.VALID, checks, facts, bytes_read=0, requests=0)
    whole = AuditParts(
        checks=report_to_json(report)["checks"],
        subject="default/roads_matched.parquet",
        output=_OUTPUT | dict(output or {}),
        input=_INPUT | dict(input or {}),
        audited_at=START + timedelta(minutes=2),
    )
    return replace(whole, **more)


def check(
    verdict: Verdict = Verdict.FAILED,
    severity: Severity = Severity.ERROR,
    *,
    name: str = "status",
    **judgement: Any,  # noqa: ANN401 - members of a dataclass
) -> CheckResult:
    return CheckResult(name, severity, "What is proven.", Judgement(verdict, **judgement))


def event(record: JobRecord, found: AuditParts, *, report_url: str = REPORT) -> dict[str, Any]:
    return whole_event(
        record,
        found,
        id_=ID,
        outcome=Outcome.VALID,
        job_url=f"https://gem.example/jobs/{JOB}",
        links=Links(report_url),
        now=START + timedelta(minutes=3),
    )


def message(record: JobRecord, found: AuditParts) -> CloudEvent:
    return manifest(event(record, found), ())
