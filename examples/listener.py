"""An example listener: reads manifests from the results queue, validates them, ignores repeats.

Use it as a start for your own. It needs azure-storage-queue and jsonschema, and the schema
docs/manifest.schema.json, but not GEM Courier itself.

    python examples/listener.py --queue gem-results --once
"""

import argparse
import base64
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azure.storage.queue import QueueClient
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

SCHEMA = json.loads(
    (Path(__file__).resolve().parent.parent / "docs" / "manifest.schema.json").read_text("utf-8")
)
KNOWN = {name: SCHEMA["properties"][name]["const"] for name in ("type", "dataschema")}
"""The events that this listener understands. A person must look at all others; see `is_known`."""

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


def decode(text: str) -> dict[str, Any]:
    """The event of a message, which is base64 (the default) or plain JSON."""
    body = text if text.lstrip().startswith("{") else base64.b64decode(text, validate=True).decode()
    event: dict[str, Any] = json.loads(body)
    return event


def is_known(event: dict[str, Any]) -> bool:
    """Whether the schema describes the event.

    A newer GEM Courier may send other types of events, and other outcomes with a new dataschema.
    Do not guess their meaning: a person must look at them.
    """
    return all(event.get(name) == value for name, value in KNOWN.items())


def check(event: dict[str, Any]) -> None:
    """Validate the event. Raises ValidationError if it is not a CloudEvent, or a known event that
    does not follow the schema.
    """
    CLOUD_EVENT.validate(event)
    if is_known(event):
        MANIFEST.validate(event)


def receive(queue: QueueClient, *, once: bool) -> Iterator[dict[str, Any]]:
    """New, valid events from the queue.

    A message is deleted when the caller asks for the next event. If the listener dies before that,
    it gets the message again. So first do the work, then remember the id of the event. An invalid
    message stays in the queue and is received again; after some attempts, your listener should move
    it to a place where a person looks.
    """
    seen: set[tuple[str, str]] = (
        set()
    )  # in production: a database, in one transaction with the work
    while True:
        batch = list(queue.receive_messages(max_messages=32, visibility_timeout=300))
        for message in batch:
            try:
                event = decode(message.content)
                check(event)
            except (ValueError, RecursionError, ValidationError) as error:
                # str(ValidationError) contains the whole schema, and a message may be 64 KiB.
                reason = str(getattr(error, "message", error))[:200]
                print(f"invalid message, not deleted: {reason!r}", file=sys.stderr)
                continue
            key = event["source"], event["id"]  # CloudEvents: together they identify an event
            if key not in seen:
                yield event
                seen.add(key)
            queue.delete_message(message)
        if not batch:
            if once:
                return
            time.sleep(10)


def summary(event: dict[str, Any]) -> str:
    """An event as one line of text."""
    if not is_known(event):
        what = f"type {event['type']}, dataschema {event.get('dataschema')}"
        return plain(f"A PERSON MUST LOOK: event {event['id']} is unknown ({what})")
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


def main() -> None:
    """Print a line for each new manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connection-string", default=os.environ.get("GEM_STATE"))
    parser.add_argument("--queue", default=os.environ.get("GEM_RESULTS_QUEUE", "gem-results"))
    parser.add_argument("--once", action="store_true", help="end when the queue is empty")
    parser.add_argument("--json", action="store_true", help="print the complete events as JSON")
    arguments = parser.parse_args()
    if not arguments.connection_string:
        parser.error("--connection-string or GEM_STATE is needed")
    queue = QueueClient.from_connection_string(arguments.connection_string, arguments.queue)
    with queue:
        for event in receive(queue, once=arguments.once):
            print(json.dumps(event) if arguments.json else summary(event), flush=True)


if __name__ == "__main__":
    main()
