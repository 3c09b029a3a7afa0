"""Messages of poison queues, and the job that a message of the blob trigger is about. Pure.

The Storage extension of the Functions host writes these messages, as text or in base64. It calls
their type "BlobTriggerMessage".
"""

import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gem_core.watch.registry import ticket_job_run_id


@dataclass(frozen=True, slots=True)
class PoisonMessage:
    """One message on a poison queue."""

    id: str
    text: str
    since: datetime | None
    """When the message was put on this queue."""
    receipt: str = ""
    """The pop receipt of a message that was taken. It is no longer valid once another reader has
    taken the message."""


def job_of_message(text: str, *, container: str) -> str | None:
    """The id of the job whose ticket a message is about; None for any other message.

    Args:
        text: the message, from the queue of the blob trigger or from its poison queue.
        container: the container of the tickets.

    """
    message = _json(text)
    if message is None or message.get("ContainerName") != container:
        return None
    return ticket_job_run_id(f"{container}/{message.get('BlobName')}")


def is_batch(text: str) -> bool:
    """Whether a message is a batch of jobs; see `watch.batch`."""
    message = _json(text) or {}
    return message.keys() >= {"until", "jobs"}


def _json(text: str) -> dict[str, Any] | None:
    for read in (str.encode, _from_base64):
        try:
            message = json.loads(read(text))
        except (ValueError, RecursionError):  # binascii.Error is a ValueError
            continue
        if isinstance(message, dict):
            return message
    return None


def _from_base64(text: str) -> bytes:
    return binascii.a2b_base64(text.encode(), strict_mode=True)
