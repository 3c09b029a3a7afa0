"""Reads manifests: decodes a message, checks it, and says what to do with it.

Needs jsonschema and the schema beside this file, but not GEM Courier itself.
"""

import base64
import json
from enum import Enum
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError

SCHEMA = json.loads(Path(__file__).with_name("manifest.schema.json").read_text("utf-8"))
KNOWN = {name: SCHEMA["properties"][name]["const"] for name in ("type", "dataschema")}
"""The events that this listener understands."""
OUTCOMES = set(SCHEMA["$defs"]["outcome"]["enum"])

USABLE = {"valid", "valid_with_warnings"}
"""Outcomes after which the output may be used."""
WITHOUT_OUTPUT = {"failed", "cancelled", "lost", "expired", "output_missing"}
"""Outcomes after which there is no output."""

_TEXT = {"type": "string", "minLength": 1}
CLOUD_EVENT = Draft202012Validator(
    {
        "type": "object",
        "required": ["specversion", "type", "source", "id"],
        "properties": {
            "specversion": {"const": "1.0"},
            "type": _TEXT,
            "source": _TEXT,
            "id": _TEXT,
        },
    }
)
MANIFEST = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


class ManifestInvalid(ValueError):
    """The message is not a manifest."""


class Advice(Enum):
    """What to do with an event."""

    USE = "use the output"
    DO_WITHOUT = "there is no output"
    ASK = "a person must look"


def read(text: str) -> dict[str, Any]:
    """The event of a message, which is base64 (the default) or plain JSON.

    Raises:
        ManifestInvalid: it is not a CloudEvent, or a known event that does not follow the schema.

    """
    try:
        plain_json = text.lstrip().startswith("{")
        body = text if plain_json else base64.b64decode(text, validate=True).decode()
        event: dict[str, Any] = json.loads(body)
        CLOUD_EVENT.validate(event)
        if is_known(event):
            MANIFEST.validate(event)
    except (ValueError, RecursionError, ValidationError) as error:
        # str(ValidationError) contains the whole schema, and a message may be 64 KiB.
        raise ManifestInvalid(str(getattr(error, "message", error))[:200]) from None
    return event


def key(event: dict[str, Any]) -> tuple[str, str]:
    """What identifies an event (CloudEvents: source and id together)."""
    return event["source"], event["id"]


def is_known(event: dict[str, Any]) -> bool:
    """Whether the schema describes the event.

    A newer GEM Courier may send other types of events, and other outcomes. Do not guess their
    meaning: a person must look at them.
    """
    is_known = all(event.get(name) == value for name, value in KNOWN.items())
    return is_known and (not _outcome(event) or _outcome(event) in OUTCOMES)


def _outcome(event: dict[str, Any]) -> str:
    """The outcome; empty if there is none, which the schema does not allow."""
    data = event.get("data")
    outcome = data.get("outcome") if isinstance(data, dict) else None
    return outcome if isinstance(outcome, str) else ""


def advice(event: dict[str, Any]) -> Advice:
    """What to do. A file that is invalid or was not audited is for a person too."""
    outcome = _outcome(event) if is_known(event) else ""
    if outcome in USABLE:
        return Advice.USE
    return Advice.DO_WITHOUT if outcome in WITHOUT_OUTPUT else Advice.ASK


def summary(event: dict[str, Any]) -> str:
    """An event as one line of text."""
    if not is_known(event):
        what = ", ".join(
            (
                f"type {event['type']}",
                f"dataschema {event.get('dataschema')}",
                f"outcome {_outcome(event) or 'none'}",
            )
        )
        return plain(f"event {event['id']} is unknown ({what})")
    data = event["data"]
    match, counts = data["match"], data["checks"]["counts"]
    matched = match["roads"]["shareMatched"] if match else None
    share = f"{matched:.2%} matched" if matched is not None else ""
    failed = [
        check["name"] for check in data["checks"]["notPassed"] if check["verdict"] == "failed"
    ]
    passed = f"{counts['passed']} checks passed" if counts["passed"] else ""
    failures = f"failed: {', '.join(failed)}" if failed else ""
    facts = ", ".join(part for part in (share, passed, failures) if part)
    return plain(f"{data['outcome']:<20} {data['jobRunId']:<24} {facts}")


def plain(text: str) -> str:
    """The text with escapes in place of unprintable characters, which could control a terminal."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
