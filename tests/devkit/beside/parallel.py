"""How many blobs a host handles at once, and when it takes the next from its queue."""

import json
from collections.abc import Mapping

from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from tests.devkit.beside.callback import HOLD, Callback
from tests.devkit.beside.messages import as_base64

NUMBER = 6


def prepare(inbox: ContainerClient, internal: QueueClient) -> None:
    """Put messages about six blobs on the host's queue, before it starts: it sees all at once."""
    for number in range(NUMBER):
        name = f"{HOLD}-{number}.txt"
        blob = inbox.upload_blob(name, name.encode())
        message = {
            "Type": "BlobTrigger",
            "FunctionId": "Host.Functions.receive",
            "BlobType": "BlockBlob",
            "ContainerName": inbox.container_name,
            "BlobName": name,
            "ETag": blob.get_blob_properties().etag,
        }
        internal.send_message(as_base64(json.dumps(message)))


def record(
    calls: Callback, quiet_seconds: float, expected: Mapping[str, int] | None = None
) -> dict[str, int]:
    """By the number of functions that run: how many run after the oldest of them has ended.

    The first time counts, since at last there are no more messages. `expected` is waited for, and
    then whether more run.
    """
    expected = expected or {}
    found: dict[str, int] = {}
    first = min(2, max(map(int, expected), default=1))  # as many as are taken at once at first
    running = calls.held(quiet_seconds, first)
    while running:
        calls.release(running[0])
        waiting = NUMBER - sum(call["text"].startswith(HOLD) for call in calls.calls)
        least = min(expected.get(str(len(running)), 0), len(running) - 1 + waiting)
        after = calls.held(quiet_seconds, least)
        found.setdefault(str(len(running)), len(after))
        running = after
    return dict(sorted(found.items()))
