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
from gem_core.moments import moment_text, optional_moment_text
from gem_core.outcome import Outcome
from gem_core.watch.attempts import Attempts, Postponement
from gem_core.watch.json_types import (
    count,
    flag,
    moment,
    moments,
    optional_moment,
    optional_text,
    percent,
    read_json,
    text,
    texts,
)
from gem_core.watch.record import JobRecord, ProgressReading, Settlement, Stage, StatusChange

SCHEMA_VERSION = 1
_UNREADABLE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
)
"""What is raised for a text that is not JSON or has other values."""


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
        "discovered": record.discovered,
        "timesChecked": record.times_checked,
        "checkedAt": optional_moment_text(record.checked_at),
        "failures": record.failures,
        "lastProblem": record.last_problem,
        "notFound": record.not_found,
        "notFoundSince": optional_moment_text(record.not_found_since),
        "beyondDeadline": record.beyond_deadline,
        "lastAnswer": dict(record.job.answer) if record.job else None,
        "contract": record.job.contract if record.job else None,
        "history": [{"at": moment_text(each.at), "status": each.status} for each in record.history],
        "progress": [
            {"at": moment_text(each.at), "percent": each.percent} for each in record.progress
        ],
        "settlement": record.settlement,
        "settledAt": optional_moment_text(record.settled_at),
        "tickets": record.tickets,
        "attempts": _attempts_to_json(record),
        "outcome": record.outcome,
        "manifestId": record.manifest_id,
        "sentTo": {name: moment_text(at) for name, at in record.sent_to.items()},
        "deliveredAt": optional_moment_text(record.delivered_at),
        "redeliveredAt": optional_moment_text(record.redelivered_at),
    }


def record_to_bytes(record: JobRecord) -> bytes:
    """The record as it is stored."""
    return json.dumps(record_to_json(record), ensure_ascii=False).encode()


def record_from_bytes(body: bytes) -> JobRecord:
    """Read a stored record.

    Raises:
        RecordUnreadable: the text is not JSON or not a record, or a member has another type. Or the
            record has another schema version, or a stage, settlement or outcome that only a newer
            version knows.

    """
    try:
        values = read_json(body)
        version = values["schemaVersion"]
        if version != SCHEMA_VERSION:
            raise RecordUnreadable(f"schema version {version!r}, this app knows {SCHEMA_VERSION}")
        record = _read(values)
        written = record_to_json(record)
        record = replace(
            record, extra={name: values[name] for name in values if name not in written}
        )
    except (*_UNREADABLE, CourierError) as error:
        if isinstance(error, RecordUnreadable):
            raise
        raise RecordUnreadable(f"not a job record: {error!r}"[:200]) from error
    else:
        return record


def _read(values: dict[str, Any]) -> JobRecord:
    job_run_id = text(values["jobRunId"])
    return JobRecord(
        job_run_id=job_run_id,
        stage=_member(Stage, values["stage"]),
        due_at=moment(values["dueAt"]),
        registered_at=moment(values["registeredAt"]),
        labels=texts(values["labels"]),
        expected_input_name=optional_text(values["expectedInputName"]),
        discovered=flag(values.get("discovered", False)),
        times_checked=count(values["timesChecked"]),
        checked_at=optional_moment(values["checkedAt"]),
        failures=count(values["failures"]),
        last_problem=optional_text(values["lastProblem"]),
        not_found=count(values["notFound"]),
        not_found_since=optional_moment(values["notFoundSince"]),
        beyond_deadline=count(values.get("beyondDeadline", 0)),
        job=_job(job_run_id, values["lastAnswer"], values.get("contract")),
        history=tuple(
            StatusChange(moment(each["at"]), text(each["status"])) for each in values["history"]
        ),
        progress=tuple(
            ProgressReading(moment(each["at"]), percent(each["percent"]))
            for each in values["progress"]
        ),
        settlement=_member(Settlement, values["settlement"]) if values["settlement"] else None,
        settled_at=optional_moment(values["settledAt"]),
        tickets=count(values["tickets"]),
        attempts=_attempts(values.get("attempts"), values["redeliveredAt"]),
        outcome=_member(Outcome, values["outcome"]) if values["outcome"] else None,
        manifest_id=optional_text(values["manifestId"]),
        sent_to=moments(values.get("sentTo", {})),
        delivered_at=optional_moment(values["deliveredAt"]),
        redelivered_at=optional_moment(values["redeliveredAt"]),
    )


def _job(job_run_id: str, answer: object, contract: object) -> GemJob | None:
    """GEM's last answer. Older records do not name its contract."""
    if answer is None:
        return None
    name = known.DEFAULT.name if contract is None else contract
    if not isinstance(name, str):
        raise TypeError(f"contract is {name!r}")
    return known.read_stored(answer, job_run_id=job_run_id, contract=name)


def _attempts_to_json(record: JobRecord) -> dict[str, Any] | None:
    held = record.attempts
    if held == Attempts():
        return None
    last = held.postponement
    return {
        "redeliveredAt": optional_moment_text(record.redelivered_at),
        "etag": held.etag,
        "begun": held.begun,
        "lastEnd": held.last_end,
        "waits": {word: moment_text(since) for word, since in held.waits.items()},
        "postponement": {
            "since": moment_text(last.since),
            "times": last.times,
            "reason": last.reason,
            "until": moment_text(last.until),
            "ends": optional_moment_text(last.ends),
        }
        if last
        else None,
    } | ({"pending": list(held.pending)} if held.pending else {})


def _attempts(values: dict[str, Any] | None, redelivered_at: object) -> Attempts:
    """The attempts of this delivery.

    An older version keeps this member and does not know it, so it may be of an earlier delivery.
    """
    if values is None or values["redeliveredAt"] != redelivered_at:
        return Attempts()
    last = values["postponement"]
    return Attempts(
        etag=text(values["etag"]),
        begun=count(values["begun"]),
        last_end=text(values.get("lastEnd", "")),
        waits=moments(values["waits"]),
        postponement=Postponement(
            since=moment(last["since"]),
            times=count(last["times"]),
            reason=text(last["reason"]),
            until=moment(last["until"]),
            ends=optional_moment(last["ends"]),
        )
        if last
        else None,
        pending=tuple(map(text, values.get("pending", ()))),
    )


def _member[E: StrEnum](kind: type[E], text: object) -> E:
    """The member of an enum. Raises RecordUnreadable when only a newer version knows the word."""
    for member in kind:
        if member == text:
            return member
    raise RecordUnreadable(f"{kind.__name__.lower()} {str(text)[:40]!r} is not known to this app")
