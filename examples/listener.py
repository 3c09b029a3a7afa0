"""A listener: reads manifests from the results queue, checks them, drops repeats, acts once.

An example to start from. It needs azure-storage-queue and jsonschema, and nothing of GEM Courier.

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
"""What this listener understands. Other events are for a person: see `is_known`."""

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
    """The event of a message, whether it was sent as base64 (the default) or as it is."""
    body = text if text.lstrip().startswith("{") else base64.b64decode(text, validate=True).decode()
    event: dict[str, Any] = json.loads(body)
    return event


def is_known(event: dict[str, Any]) -> bool:
    """Whether the schema describes the event.

    A newer GEM Courier may send other types of events, and other outcomes under a new dataschema.
    Do not guess what they mean: a person must look.
    """
    return all(event.get(name) == value for name, value in KNOWN.items())


def check(event: dict[str, Any]) -> None:
    """Raise a ValidationError for what is no event, or for a manifest against its schema."""
    CLOUD_EVENT.validate(event)
    if is_known(event):
        MANIFEST.validate(event)


def receive(queue: QueueClient, *, once: bool) -> Iterator[dict[str, Any]]:
    """Each event that is new and well-formed.

    A message is deleted only after the caller has come back for the next one, so a listener that
    dies in between sees it again: act, then remember the id. A message that is no event is left
    alone; it comes back, and after a few times it should go to a place where a person looks.
    """
    seen: set[tuple[str, str]] = set()  # keep it in a database, with the work that it guards
    while True:
        batch = list(queue.receive_messages(max_messages=32, visibility_timeout=300))
        for message in batch:
            try:
                event = decode(message.content)
                check(event)
            except (ValueError, RecursionError, ValidationError) as error:
                # A ValidationError as text is the whole schema; a message may be 64 KiB.
                why = str(getattr(error, "message", error))[:200]
                print(f"not an event, left alone: {why!r}", file=sys.stderr)
                continue
            name = event["source"], event["id"]
            if name not in seen:
                yield event
                seen.add(name)
            queue.delete_message(message)
        if not batch:
            if once:
                return
            time.sleep(10)


def summary(event: dict[str, Any]) -> str:
    """One line about an event."""
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
    ran = f"{counts['passed']} checks passed" if counts["passed"] else ""
    facts = ", ".join(
        part for part in (share, ran, f"failed: {', '.join(failed)}" * bool(failed)) if part
    )
    return plain(f"{data['outcome']:<20} {data['jobRunId']:<24} {facts}")


def plain(text: str) -> str:
    """The text with whatever is not printable spelt out, so that none of it commands a terminal."""
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
    parser.add_argument("--json", action="store_true", help="print whole events")
    arguments = parser.parse_args()
    if not arguments.connection_string:
        parser.error("--connection-string or GEM_STATE is needed")
    queue = QueueClient.from_connection_string(arguments.connection_string, arguments.queue)
    with queue:
        for event in receive(queue, once=arguments.once):
            print(json.dumps(event) if arguments.json else summary(event), flush=True)


if __name__ == "__main__":
    main()
