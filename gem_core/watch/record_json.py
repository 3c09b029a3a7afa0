"""Writes a record as JSON and reads it back. Pure.

After an upgrade was rolled back, this version reads records of a newer version. It keeps members
that it does not know. It does not read a record with a stage, settlement or outcome that it does
not know, or with another `schemaVersion`: such a record does not change (docs/decisions/0092).
"""

import json
from dataclasses import replace
from enum import StrEnum
from typing import Any

from gem_core.errors import CourierError, RecordUnreadable
from gem_core.gem.contracts import known
from gem_core.gem.job import GemJob
from gem_core.moments import (
    moment_text,
    optional_moment_text,
    read_moment,
    read_optional_moment,
)
from gem_core.outcome import Outcome
from gem_core.watch.record import JobRecord, ProgressReading, Settlement, Stage, StatusChange

SCHEMA_VERSION = 1


def record_to_json(record: JobRecord) -> dict[str, Any]:
    """The record as plain JSON; times are ISO 8601 in UTC. `GET /api/jobs/{id}` shows it too."""
    return {
        **record.extra,
        "schemaVersion": SCHEMA_VERSION,
        "jobRunId": record.job_run_id,
        "stage": record.stage,
        "dueAt": moment_text(record.due_at),
        "registeredAt": moment_text(record.registered_at),
        "labels": dict(record.labels),
        "expectedInputName": record.expected_input_name,
        "timesChecked": record.times_checked,
        "checkedAt": optional_moment_text(record.checked_at),
        "failures": record.failures,
        "lastProblem": record.last_problem,
        "notFound": record.not_found,
        "notFoundSince": optional_moment_text(record.not_found_since),
        "lastAnswer": dict(record.job.answer) if record.job else None,
        "contract": record.job.contract if record.job else None,
        "history": [{"at": moment_text(seen.at), "status": seen.status} for seen in record.history],
        "progress": [
            {"at": moment_text(seen.at), "percent": seen.percent} for seen in record.progress
        ],
        "settlement": record.settlement,
        "settledAt": optional_moment_text(record.settled_at),
        "tickets": record.tickets,
        "outcome": record.outcome,
        "manifestId": record.manifest_id,
        "deliveredAt": optional_moment_text(record.delivered_at),
        "redeliveredAt": optional_moment_text(record.redelivered_at),
    }


def record_to_bytes(record: JobRecord) -> bytes:
    """The record as it is stored."""
    return json.dumps(record_to_json(record), ensure_ascii=False).encode()


def record_from_bytes(body: bytes) -> JobRecord:
    """Read a stored record.

    Raises:
        RecordUnreadable: the text is not JSON or not a record, has another schema version, or has a
            stage, settlement or outcome that only a newer version knows.

    """
    try:
        held = json.loads(body)
        version = held["schemaVersion"]
        if version != SCHEMA_VERSION:
            raise RecordUnreadable(f"schema version {version!r}, this app knows {SCHEMA_VERSION}")
        record = _read(held)
        written = record_to_json(record)
        return replace(record, extra={name: held[name] for name in held if name not in written})
    except (ValueError, KeyError, TypeError, AttributeError, CourierError) as error:
        if isinstance(error, RecordUnreadable):
            raise
        raise RecordUnreadable(f"not a job record: {error!r}"[:200]) from error


def _read(held: dict[str, Any]) -> JobRecord:
    job_run_id: str = held["jobRunId"]
    return JobRecord(
        job_run_id=job_run_id,
        stage=_word(Stage, held["stage"]),
        due_at=read_moment(held["dueAt"]),
        registered_at=read_moment(held["registeredAt"]),
        labels=held["labels"],
        expected_input_name=held["expectedInputName"],
        times_checked=held["timesChecked"],
        checked_at=read_optional_moment(held["checkedAt"]),
        failures=held["failures"],
        last_problem=held["lastProblem"],
        not_found=held["notFound"],
        not_found_since=read_optional_moment(held["notFoundSince"]),
        job=_job(job_run_id, held["lastAnswer"], held.get("contract")),
        history=tuple(
            StatusChange(read_moment(seen["at"]), seen["status"]) for seen in held["history"]
        ),
        progress=tuple(
            ProgressReading(read_moment(seen["at"]), float(seen["percent"]))
            for seen in held["progress"]
        ),
        settlement=_word(Settlement, held["settlement"]) if held["settlement"] else None,
        settled_at=read_optional_moment(held["settledAt"]),
        tickets=held["tickets"],
        outcome=_word(Outcome, held["outcome"]) if held["outcome"] else None,
        manifest_id=held["manifestId"],
        delivered_at=read_optional_moment(held["deliveredAt"]),
        redelivered_at=read_optional_moment(held["redeliveredAt"]),
    )


def _job(job_run_id: str, answer: object, contract: object) -> GemJob | None:
    """GEM's last answer. Older records do not name its contract."""
    if answer is None:
        return None
    name = known.DEFAULT.name if contract is None else contract
    if not isinstance(name, str):
        raise TypeError(f"contract is {name!r}")
    return known.read_stored(answer, job_run_id=job_run_id, contract=name)


def _word[E: StrEnum](kind: type[E], text: object) -> E:
    """The member of an enum. Raises RecordUnreadable when only a newer version knows the word."""
    for member in kind:
        if member == text:
            return member
    raise RecordUnreadable(f"{kind.__name__.lower()} {str(text)[:40]!r} is not known to this app")
