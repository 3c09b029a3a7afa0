"""Checks a registration: the job id, and the body of `PUT /api/jobs/{jobRunId}`. Pure."""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from gem_core.errors import RequestError
from gem_core.watch.record import JobRecord

_JOB_RUN_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._~-]{0,126}[A-Za-z0-9_~-])?", re.ASCII)
MEMBERS = {"labels", "expectedInputName"}
"""The members that the body may have."""
MAX_NAME_LENGTH = 1024
"""Characters in the name of a blob ("Naming and Referencing Containers, Blobs, and Metadata", Azure
Storage)."""
MAX_LABELS = 32
MAX_LABEL_LENGTH = 256
MAX_LABELS_JSON = 8 * 1024
"""Bytes of ASCII JSON. Labels are not shortened in a manifest, so there must be room for them."""


def parse_job_run_id(value: str) -> str:
    """Check that a job id is safe as one path segment of a URL and as the name of a blob.

    Raises:
        RequestError: the id is not valid; the message says what is allowed.

    """
    if not _JOB_RUN_ID.fullmatch(value):
        raise RequestError(
            f"{value[:40]!r} is not a valid job id: it must have 1 to 128 of the characters "
            "A-Z a-z 0-9 . _ ~ -, begin with a letter or digit and not end with a dot"
        )
    return value


def register(job_run_id: str, body: object, now: datetime) -> JobRecord:
    """The first record of a job, due at once.

    Args:
        job_run_id: GEM's id of the job.
        body: the JSON value of the body: an object with `labels` (an object of strings) and
            `expectedInputName`, both optional; None for an empty body.
        now: the time of the registration.

    Raises:
        RequestError: the id or the body is not valid; the message says why.

    """
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise RequestError(
            "the body must be empty, or a JSON object with labels and expectedInputName"
        )
    refuse_unknown_members(body, MEMBERS)
    return JobRecord(
        job_run_id=parse_job_run_id(job_run_id),
        registered_at=now,
        due_at=now,
        labels=_labels(body.get("labels")),
        expected_input_name=_input_name(body.get("expectedInputName")),
    )


def refuse_unknown_members(body: Mapping[str, object], known: Collection[str]) -> None:
    """Refuse a body with a member that is not known. Raises RequestError, which names them."""
    if unknown := sorted(body.keys() - known):
        raise RequestError(
            f"the body has unknown members: {', '.join(unknown)[:80]}. It can have "
            f"{', '.join(sorted(known))}"
        )


def states_other_labels(body: object, labels: Mapping[str, str]) -> bool:
    """Whether the body of a registration has labels, and not these."""
    stated = body.get("labels") if isinstance(body, dict) else None
    return stated is not None and stated != labels


def changed_labels(labels: Mapping[str, str], body: object) -> Mapping[str, str]:
    """Labels after a change as JSON Merge Patch describes it (RFC 7396).

    Args:
        labels: the labels of a job.
        body: an object with `labels`: labels to add or replace, and null for each one to remove.
            Null in place of `labels` removes all.

    Raises:
        RequestError: the body or the changed labels are not valid.

    """
    if not isinstance(body, dict) or "labels" not in body:
        raise RequestError(
            'the body must be a JSON object with labels, such as {"labels": {"team": "maps"}}'
        )
    refuse_unknown_members(body, {"labels"})
    changes = body["labels"]
    if not isinstance(changes, dict):
        return _labels(changes)
    merged = {**labels, **changes}
    return _labels({name: value for name, value in merged.items() if value is not None})


def _input_name(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME_LENGTH and _is_unicode(value):
        return value
    raise RequestError(f"expectedInputName must be a string of 1 to {MAX_NAME_LENGTH:,} characters")


def _labels(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, dict) and _are_labels(value):
        return value
    raise RequestError(
        'labels must be an object of strings, such as {"team": "maps"}: at most '
        f"{MAX_LABELS} labels, {MAX_LABEL_LENGTH} characters in a name or a value, and "
        f"{MAX_LABELS_JSON:,} bytes of JSON in all"
    )


def _are_labels(value: dict[Any, Any]) -> bool:
    return (
        len(value) <= MAX_LABELS
        and all(
            isinstance(text, str) and len(text) <= MAX_LABEL_LENGTH and _is_unicode(text)
            for pair in value.items()
            for text in pair
        )
        and len(json.dumps(value)) <= MAX_LABELS_JSON
    )


def _is_unicode(text: str) -> bool:
    """Whether UTF-8 can encode the text. JSON can contain half a surrogate pair; UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
