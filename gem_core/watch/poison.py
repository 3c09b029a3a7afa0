"""Messages that failed too often, and which job one of the blob trigger is about. Pure.

The message is the Storage extension's own ("BlobTriggerMessage"), as text or in base64.
"""

import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gem_core.errors import RequestError
from gem_core.watch.registration import parse_job_run_id
from gem_core.watch.registry import SUFFIX, ticket_job_run_id


@dataclass(frozen=True, slots=True)
class PoisonMessage:
    """One message, as it lies on a queue of failed ones."""

    id: str
    text: str
    since: datetime | None
    """When it came to this queue."""
    receipt: str = ""
    """Of a message that was taken: what proves that it is still in our hands."""


def ticket_of_message(text: str, *, container: str) -> str | None:
    """The job whose ticket a blob trigger's message is about; None when it is no such message.

    Args:
        text: of a message of the trigger's queue or of its poison queue.
        container: of the tickets.

    """
    message = _json(text)
    if message is None or message.get("ContainerName") != container:
        return None
    name = message.get("BlobName")
    if not isinstance(name, str) or "/" in name or not name.endswith(SUFFIX):
        return None
    try:
        return parse_job_run_id(ticket_job_run_id(name))
    except RequestError:
        return None


def is_batch(text: str) -> bool:
    """Whether a message hands out jobs; see `watch.batch`."""
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
