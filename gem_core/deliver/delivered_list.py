"""The list of manifests that were sent, one line of JSON for each. Pure.

The board reads it, and nothing else depends on it. A manifest that was sent twice has two lines
with one id.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gem_core.deliver.cloud_event import CloudEvent
from gem_core.moments import moment_text, read_moment

MAX_FAILED = 5
"""Names of failed checks in a line."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A manifest that was sent."""

    id: str
    job_run_id: str
    at: datetime
    outcome: str
    contract: str
    """The contract of GEM's last answer; empty if there was none, or in lines of older versions."""
    labels: Mapping[str, str]
    share_matched: float | None
    """Of the roads, from 0 to 1; None when it is not known."""
    failed: tuple[str, ...]
    """Names of failed checks, at most `MAX_FAILED`."""


def month_of(at: datetime) -> str:
    """The month of a time in UTC, which names its list."""
    return f"{at:%Y-%m}"


def line_of(event: CloudEvent, at: datetime) -> bytes:
    """The line of a manifest that was sent at this time."""
    data = json.loads(event.body)["data"]
    checks = (check for check in data["checks"]["notPassed"] if check["verdict"] == "failed")
    line = {
        "id": event.id,
        "jobRunId": data["jobRunId"],
        "at": moment_text(at),
        "outcome": data["outcome"],
        "contract": data["contract"],
        "labels": data["labels"],
        "shareMatched": data["match"]["roads"]["shareMatched"] if data["match"] else None,
        "failed": [check["name"] for check in checks][:MAX_FAILED],
    }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read_lines(body: bytes) -> tuple[Delivered, ...]:
    """The manifests of a list, each once, those that were sent last first.

    A line that cannot be read is left out: it may have been cut off, or come from a newer version.
    """
    found: dict[str, Delivered] = {}
    for line in reversed(body.splitlines()):
        each = _read(line)
        if each:
            found.setdefault(each.id, each)
    return tuple(found.values())


def _read(line: bytes) -> Delivered | None:
    try:
        values = json.loads(line)
        share = values["shareMatched"]
        return Delivered(
            id=str(values["id"]),
            job_run_id=str(values["jobRunId"]),
            at=read_moment(values["at"]),
            outcome=str(values["outcome"]),
            contract=str(values.get("contract") or ""),
            labels={str(name): str(text) for name, text in values["labels"].items()},
            share_matched=None if share is None else float(share),
            failed=tuple(map(str, values["failed"])),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
