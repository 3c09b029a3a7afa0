"""The results manifest: a CloudEvents 1.0 JSON event for each settled job. Pure.

Its schema is published as `docs/manifest.schema.json`; docs/manifest.md shows an example.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.deliver.cut import cut_to_fit
from gem_core.errors import RecordUnreadable
from gem_core.gem.job import GemJob
from gem_core.outcome import Outcome
from gem_core.settings.route import EventType, Route, names_of
from gem_core.watch.record import JobRecord

EVENT_TYPE = "io.gemcourier.job.settled.v1"
DATA_SCHEMA = "urn:gem-courier:manifest:1"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class AuditParts:
    """The parts that come from an audit; the published schema defines each of them."""

    checks: Mapping[str, Any]
    subject: str = ""
    """The container and name of the output; empty when no file was opened."""
    output: Mapping[str, Any] | None = None
    input: Mapping[str, Any] | None = None
    match: Mapping[str, Any] | None = None
    statistics: Mapping[str, Any] | None = None
    audited_at: datetime | None = None
    drift: tuple[str, ...] = ()
    """Where the output departs from the contract of GEM's answer."""
    search: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """Where the documents of a delivery are."""

    report: str
    """The whole event, stored before it is shortened."""
    page: str | None = None
    """Where readers of the manifest can open the page; None if they cannot, or there is no page."""
    failures: str | None = None
    """The failing rows; None if they are not stored. The manifest then has no such member."""

    def to_json(self) -> dict[str, str | None]:
        """The member of the manifest."""
        links = {"url": self.report, "page": self.page}
        return links | ({"failures": self.failures} if self.failures else {})


def manifest_id(job_run_id: str, registered_at: datetime, *, version: str, ruleset: str) -> str:
    """The id of a manifest: the same for the same registration, version of the output and ruleset.

    Listeners drop an id that they have seen before. A job that was deleted and registered again
    gets other ids. The type of the event is hashed too, because CloudEvents requires that an id is
    unique among all events of one source.

    Args:
        job_run_id: GEM's id of the job.
        registered_at: when the job was registered; another registration gets another id.
        version: what the manifest describes, see `Version.text`.
        ruleset: the version of the audit's checks.

    """
    text = json.dumps([EVENT_TYPE, job_run_id, registered_at.isoformat(), version, ruleset])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def whole_event(
    record: JobRecord,
    parts: AuditParts,
    *,
    id_: str,
    outcome: Outcome,
    job_url: str,
    links: Links,
    now: datetime,
) -> dict[str, Any]:
    """The whole event, before it is shortened. The report has exactly this content.

    Args:
        record: the record of a settled job.
        parts: what comes from the audit.
        id_: see `manifest_id`.
        outcome: how the job ended.
        job_url: the address of the job at GEM, which is the source of the event.
        links: where the documents are.
        now: when the manifest is made.

    """
    event = {
        "specversion": "1.0",
        "type": EVENT_TYPE,
        "source": job_url,
        "id": id_,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "data": _data(record, parts, outcome, links, now),
    }
    # CloudEvents 1.0 does not allow an empty attribute, so without an output there is no subject.
    return event | ({"subject": parts.subject} if parts.subject else {})


def _data(
    record: JobRecord,
    parts: AuditParts,
    outcome: Outcome,
    links: Links,
    now: datetime,
) -> dict[str, Any]:
    return {
        "schemaVersion": SCHEMA_VERSION,
        "outcome": outcome,
        "jobRunId": record.job_run_id,
        "labels": dict(record.labels),
        "contract": record.job.contract if record.job else None,
        "drift": [*(record.job.drift if record.job else ()), *parts.drift],
        "job": _job(record.job) if record.job else None,
        "settlement": _settlement(record),
        "output": parts.output,
        "search": parts.search,
        "input": parts.input,
        "match": parts.match,
        "statistics": parts.statistics,
        "checks": parts.checks,
        "report": links.to_json(),
        "timing": _timing(record, parts.audited_at, now),
        "cut": [],
    }


def manifest(event: Mapping[str, Any], routes: Iterable[Route]) -> CloudEvent:
    """The message for the queues: the event without the list of all checks, at most 48 KiB.

    Args:
        event: the whole event.
        routes: all routes; the message keeps the names of those that take it.

    """
    data = dict(event["data"])
    checks = {name: part for name, part in data["checks"].items() if name != "all"}
    body = cut_to_fit({**event, "data": data | {"checks": checks}})
    return CloudEvent(event["id"], body, _routes(data, routes))


def owed_to(manifest: CloudEvent, routes: Sequence[Route]) -> tuple[str, ...]:
    """The names of the routes to which a manifest is sent: those that it was made for.

    A route that the settings no longer have, or have only for events of another type, is left out.
    If they have none of them, the manifest takes the routes that they have now: each manifest is
    sent to one route at least.
    """
    names = {route.name for route in routes if route.takes_manifests}
    kept = tuple(name for name in manifest.routes if name in names)
    return kept or _routes(json.loads(manifest.body)["data"], routes)


def _routes(data: Mapping[str, Any], routes: Iterable[Route]) -> tuple[str, ...]:
    return names_of(routes, EventType.JOB_SETTLED, data["outcome"], data["labels"])


def outcome_of(manifest: CloudEvent) -> Outcome:
    """The outcome in a stored manifest.

    Raises:
        RecordUnreadable: a newer version of the app wrote the manifest, with an outcome that this
            version does not know. No other manifest may be sent under its id.

    """
    word = json.loads(manifest.body)["data"]["outcome"]
    if word not in set(Outcome):
        raise RecordUnreadable(f"outcome {str(word)[:40]!r} is not known to this app")
    return Outcome(word)


def _job(job: GemJob) -> dict[str, Any]:
    """The members that every generation of GEM's API has, and the last answer as received."""
    return {
        "status": job.status,
        "inputName": job.input_name,
        "outputName": job.output_name,
        "storageId": job.storage_id,
        "overtureRelease": job.overture_release,
        "matchingType": job.matching_type,
        "createdAt": job.created_at.isoformat() if job.created_at else None,
        "modifiedAt": job.modified_at.isoformat() if job.modified_at else None,
        "message": job.message,
        "answer": dict(job.answer),
    }


def _settlement(record: JobRecord) -> dict[str, Any]:
    return {
        "reason": record.settlement,
        "lastProblem": record.last_problem,
        "lastHeard": last_heard(record),
        "history": [{"at": each.at.isoformat(), "status": each.status} for each in record.history],
    }


def last_heard(record: JobRecord) -> str:
    """What GEM said last, in words."""
    if record.last_problem:
        return record.last_problem
    if record.job is None:
        return "GEM was not asked"
    return f"GEM answered with the status {record.job.status_text[:80]!r}"


def _timing(record: JobRecord, audited_at: datetime | None, now: datetime) -> dict[str, Any]:
    settled_at = record.settled_at or now
    return {
        "registeredAt": record.registered_at.isoformat(),
        "settledAt": settled_at.isoformat(),
        "auditedAt": audited_at.isoformat() if audited_at else None,
        "delaySeconds": round((now - settled_at).total_seconds(), 3),
    }
