"""What may be registered: job ids and the body of `PUT /api/jobs/{jobRunId}`. Pure."""

import json
import re
from datetime import datetime

from gem_core.errors import RequestError
from gem_core.watch.record import JobRecord

_JOB_RUN_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._~-]{0,126}[A-Za-z0-9_~-])?", re.ASCII)
MEMBERS = {"labels", "expectedInputName"}
"""Of the body of a registration."""
MAX_NAME_LENGTH = 1024
"""Of a blob (Naming and Referencing Containers, Blobs, and Metadata, Azure Storage)."""
MAX_LABELS = 32
MAX_LABEL_LENGTH = 256
MAX_LABELS_JSON = 8 * 1024
"""Characters of ASCII JSON: labels are never cut from a manifest, so they must leave it room."""


def parse_job_run_id(value: str) -> str:
    """A job id that stays within one path segment of a URL and one name of a blob.

    Raises:
        RequestError: it does not; the message says what is allowed.

    """
    if not _JOB_RUN_ID.fullmatch(value):
        raise RequestError(
            f"{value[:40]!r} cannot be a job id: 1 to 128 of A-Z a-z 0-9 . _ ~ - are accepted, "
            "beginning with a letter or digit and not ending with a dot"
        )
    return value


def register(job_run_id: str, body: object, now: datetime) -> JobRecord:
    """The first record of a job, due at once.

    Args:
        job_run_id: GEM's id of a job that was submitted by whoever registers it.
        body: the JSON of the registration: `labels` (object of strings) and `expectedInputName`,
            both optional; None when there was no body.
        now: when it is registered.

    Raises:
        RequestError: the id or the body is not acceptable; the message says why.

    """
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise RequestError(
            "the body must be a JSON object with labels and expectedInputName, or empty"
        )
    if unknown := sorted(body.keys() - MEMBERS):
        raise RequestError(f"unknown in the body: {', '.join(unknown)[:80]}")
    name = body.get("expectedInputName")
    if name is not None and not (
        isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and _is_unicode(name)
    ):
        raise RequestError(
            f"expectedInputName must be a string of 1 to {MAX_NAME_LENGTH:,} characters"
        )
    labels = {} if body.get("labels") is None else body["labels"]
    if not _are_labels(labels):
        raise RequestError(
            f"labels must be an object of at most {MAX_LABELS} strings, each name and value at "
            f"most {MAX_LABEL_LENGTH} characters, all of it at most {MAX_LABELS_JSON} of JSON"
        )
    return JobRecord(
        job_run_id=parse_job_run_id(job_run_id),
        registered_at=now,
        due_at=now,
        labels=labels,
        expected_input_name=name,
    )


def _are_labels(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MAX_LABELS
        and all(
            isinstance(text, str) and len(text) <= MAX_LABEL_LENGTH and _is_unicode(text)
            for pair in value.items()
            for text in pair
        )
        and len(json.dumps(value)) <= MAX_LABELS_JSON
    )


def _is_unicode(text: str) -> bool:
    """Half a surrogate pair, which JSON can write and UTF-8 cannot, is no text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
