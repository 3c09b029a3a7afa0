"""Messages of a queue trigger: how often each reaches the function, and where it ends."""

import base64
import binascii
import json
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueServiceClient

from tests.devkit.beside.callback import FAIL, Callback

MOST_TRIES = 3
"""`maxDequeueCount` of the app."""


def as_base64(content: str | bytes) -> str:
    """A text or bytes in base64."""
    return base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode()


SENT = {
    "plain": as_base64("plain"),
    "json": as_base64(json.dumps({"json": ["ü", 1]}, ensure_ascii=False)),
    "markup": as_base64("markup <&>"),
    "lines": as_base64("lines\r\n\n"),
    "long": as_base64("long" + "x" * 36_000),
    "fail": as_base64(f"{FAIL} always"),
    "tried-before": as_base64("tried-before"),
    "no-base64": "no base64!",
    "cut-off": as_base64("cut-off")[:-3],
    "no-text": as_base64(b"\xff\xfe"),
}
"""What is put on the queue as it is, by the name of the case."""


def prepare(queue: QueueClient) -> None:
    """Put all messages on the queue, before the host starts. One was taken too often already."""
    queue.send_message(SENT["tried-before"])
    for _ in range(MOST_TRIES):
        taken = queue.receive_message(visibility_timeout=60)
        assert taken
        queue.update_message(taken, visibility_timeout=0)
    for case, text in SENT.items():
        if case != "tried-before":
            queue.send_message(text)


def record(queues: QueueServiceClient, name: str, calls: Callback) -> dict[str, Any]:
    """What happened to each message."""
    left, poisoned = _waiting(queues, name), _waiting(queues, f"{name}-poison")
    found = {}
    for case, text in SENT.items():
        runs = [call for call in calls.calls if call["text"] == _received(text)]
        found[case] = {
            "runs": len(runs),
            "ends": "poison" if text in poisoned else "queue" if text in left else "deleted",
        }
    return found


def _waiting(queues: QueueServiceClient, name: str) -> list[str]:
    with queues.get_queue_client(name) as queue:
        try:
            return [message.content for message in queue.peek_messages(32)]
        except ResourceNotFoundError:
            return []


def _received(sent: str) -> str:
    """What a function receives when it gets the message."""
    try:
        return base64.b64decode(sent, validate=True).decode(errors="replace")
    except binascii.Error:
        return sent
