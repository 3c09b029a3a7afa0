"""The event that a newer Overture release outdates a job: CloudEvents 1.0 as JSON. Pure.

Its schema is published as `docs/outdated.schema.json`; docs/overture.md shows an example.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.errors import RecordUnreadable
from gem_core.outcome import Outcome
from gem_core.settings.route import EventType, Route, names_of
from gem_core.watch.record import JobRecord

OUTDATED_TYPE = "io.gemcourier.job.outdated.v1"
OUTDATED_SCHEMA = "urn:gem-courier:outdated:1"
SCHEMA_VERSION = 1
AUDITED = frozenset({Outcome.VALID, Outcome.VALID_WITH_WARNINGS, Outcome.INVALID})
"""Outcomes of manifests that are about an output with known columns."""


@dataclass(frozen=True, slots=True)
class DeliveredOutput:
    """What the last manifest of a job says about its output."""

    job_run_id: str
    registered_at: datetime
    manifest_id: str
    source: str
    """The address of the job at GEM."""
    outcome: Outcome
    labels: Mapping[str, str]
    release: str | None
    """The Overture release that it was matched with."""
    container: str
    name: str
    etag: str
    url: str | None
    """None if it is too long for a message."""


def delivered_output(record: JobRecord, manifest: CloudEvent) -> DeliveredOutput:
    """Read a manifest.

    Raises:
        RecordUnreadable: a newer version of the app wrote it.

    """
    try:
        event = json.loads(manifest.body)
        data, output = event["data"], event["data"]["output"]
        return DeliveredOutput(
            job_run_id=record.job_run_id,
            registered_at=record.registered_at,
            manifest_id=manifest.id,
            source=event["source"],
            outcome=Outcome(data["outcome"]),
            labels=data["labels"],
            release=record.job.overture_release if record.job else None,
            container=output["container"],
            name=output["name"],
            etag=output["etag"],
            url=output["url"],
        )
    except (ValueError, LookupError, TypeError) as error:
        raise RecordUnreadable(f"its manifest cannot be read: {type(error).__name__}") from None


def outdated_id(output: DeliveredOutput, release: str) -> str:
    """The id of the event: the same for the same registration of a job and the same release."""
    parts = [OUTDATED_TYPE, output.job_run_id, output.registered_at.isoformat(), release]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def outdated_event(
    output: DeliveredOutput,
    release: str,
    changes: Mapping[str, Any],
    routes: Iterable[Route],
    now: datetime,
) -> CloudEvent:
    """The event for a job that is outdated.

    Args:
        output: what its last manifest says.
        release: the new release.
        changes: how much of the output changed; see `advice.result.Figures.to_json`.
        routes: all routes; the event keeps the names of those that take it.
        now: when the event is made.

    """
    id_ = outdated_id(output, release)
    event = {
        "specversion": "1.0",
        "type": OUTDATED_TYPE,
        "source": output.source,
        "id": id_,
        "time": now.isoformat(),
        "subject": f"{output.container}/{output.name}",
        "datacontenttype": "application/json",
        "dataschema": OUTDATED_SCHEMA,
        "data": {
            "schemaVersion": SCHEMA_VERSION,
            "jobRunId": output.job_run_id,
            "labels": dict(output.labels),
            "outcome": output.outcome,
            "manifestId": output.manifest_id,
            "output": {
                "url": output.url,
                "container": output.container,
                "name": output.name,
                "etag": output.etag,
            },
            "release": output.release,
            "newRelease": release,
            "changes": changes,
        },
    }
    body = json.dumps(event, ensure_ascii=True, separators=(",", ":"))
    takers = names_of(routes, EventType.JOB_OUTDATED, output.outcome, output.labels)
    return CloudEvent(id_, body, takers)
