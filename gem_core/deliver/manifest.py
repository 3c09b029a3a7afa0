"""The results manifest: a CloudEvents 1.0 JSON event, one for each settled job. Pure.

Its form is published as `docs/manifest.schema.json`; README.md shows one.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.cut import cut_to_fit
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord

EVENT_TYPE = "io.gemcourier.job.settled.v1"
DATA_SCHEMA = "urn:gem-courier:manifest:1"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class AuditParts:
    """What the audit leaves for the manifest, each part as the published schema has it.

    All parts are None for a job without an audit.
    """

    subject: str
    """Container and name of the output, or empty."""
    output: Mapping[str, Any] | None = None
    input: Mapping[str, Any] | None = None
    match: Mapping[str, Any] | None = None
    statistics: Mapping[str, Any] | None = None
    checks: tuple[Mapping[str, Any], ...] = ()
    audited_at: datetime | None = None


def manifest_id(job_run_id: str, registered_at: datetime, *, version: str, ruleset: str) -> str:
    """The id of a manifest: the same for the same registration, output and ruleset.

    So repeats can go, and a job that was forgotten and registered again never gets a manifest of
    its former life.

    Args:
        job_run_id: GEM's id.
        registered_at: with it, which registration of the job.
        version: what it describes, see `Version.text`.
        ruleset: of the audit.

    """
    text = json.dumps([job_run_id, registered_at.isoformat(), version, ruleset])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def whole_event(
    record: JobRecord,
    findings: AuditParts,
    *,
    id_: str,
    outcome: Outcome,
    ruleset: str,
    job_url: str,
    report_url: str,
    now: datetime,
) -> dict[str, Any]:
    """The event with nothing cut: what the report blob holds.

    Args:
        record: of a settled job.
        findings: of the audit; empty for a job without one.
        id_: see `manifest_id`.
        outcome: how the job ended.
        ruleset: version of the rules of the audit.
        job_url: address of the job at GEM, the source of the event.
        report_url: where this event is stored whole.
        now: when the manifest is made.

    """
    settled_at = record.settled_at or now
    event = {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "source": job_url,
        "id": id_,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "data": {
            "schemaVersion": SCHEMA_VERSION,
            "outcome": outcome,
            "jobRunId": record.job_run_id,
            "labels": dict(record.labels),
            "job": dict(record.job.answer) if record.job else None,
            "settlement": {
                "reason": record.settlement,
                "lastProblem": record.last_problem,
                "history": [
                    {"at": seen.at.isoformat(), "status": seen.status} for seen in record.history
                ],
            },
            "output": findings.output,
            "input": findings.input,
            "match": findings.match,
            "statistics": findings.statistics,
            "checks": {
                "ruleset": ruleset,
                "counts": _counts(findings.checks),
                "all": list(findings.checks),
            },
            "report": {"url": report_url, "page": None},
            "timing": {
                "registeredAt": record.registered_at.isoformat(),
                "settledAt": settled_at.isoformat(),
                "auditedAt": findings.audited_at.isoformat() if findings.audited_at else None,
                "delaySeconds": round((now - settled_at).total_seconds(), 3),
            },
            "cut": [],
        },
    }
    # CloudEvents 1.0 has no empty attributes: without an output there is no subject.
    return event | ({"subject": findings.subject} if findings.subject else {})


def manifest(event: Mapping[str, Any]) -> CloudEvent:
    """The message of a whole event: only the checks that are not passed; ASCII, at most 48 KiB.

    A check that nobody asked for is none of them: there is nothing to do about it.
    """
    data = dict(event["data"])
    checks = dict(data["checks"])
    checks["notPassed"] = [
        check
        for check in checks.pop("all")
        if check["verdict"] != "passed" and check.get("asked", True)
    ]
    return CloudEvent(event["id"], cut_to_fit({**event, "data": data | {"checks": checks}}))


def outcome_of(manifest: CloudEvent) -> Outcome:
    """How the job ended, as its manifest says.

    Raises:
        ValueError: a newer version of this app wrote the manifest, and an outcome that it added.

    """
    return Outcome(json.loads(manifest.body)["data"]["outcome"])


def _counts(checks: tuple[Mapping[str, Any], ...]) -> dict[str, int]:
    names = ("passed", "failedError", "failedWarning", "failedInfo", "notRun", "notAsked")
    return dict.fromkeys(names, 0) | Counter(map(_counted_as, checks))


def _counted_as(check: Mapping[str, Any]) -> str:
    match check["verdict"]:
        case "passed":
            return "passed"
        case "failed":
            return "failed" + str(check["severity"]).title()
        case _:
            return "notRun" if check.get("asked", True) else "notAsked"
