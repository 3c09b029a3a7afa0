"""Messages of poison queues, and the jobs that they are about. Pure.

The Storage extension of the Functions host writes these messages, as text or in base64. A message
about a ticket is what the extension calls "BlobTriggerMessage"; any other is as it was sent.
"""

import binascii
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gem_core.errors import RecordUnreadable
from gem_core.watch.batch import Batch, batch_from_json
from gem_core.watch.json_types import read_json
from gem_core.watch.registry import ticket_job_run_id

PAGE = 32
"""The most messages that a queue shows in one request, and so the most that can be listed. The next
ones can only be seen by taking the first ones (Peek Messages and Get Messages, numofmessages)."""


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
    expires_at: datetime | None = None
    """When the queue deletes the message."""


class Poison(Protocol):
    """A poison queue; see `deliver.poison_queue`. The methods raise StoreError."""

    @property
    def name(self) -> str:
        """The name of the queue."""
        ...

    def count(self) -> int:
        """The approximate number of messages."""
        ...

    def peek(self) -> tuple[PoisonMessage, ...]:
        """The first messages, at most `PAGE`. Changes nothing."""
        ...

    def take(self) -> tuple[PoisonMessage, ...]:
        """The next messages, which are then hidden from other readers for a while."""
        ...

    def delete(self, message: PoisonMessage) -> None:
        """Delete a message."""
        ...

    def put_back(self, message: PoisonMessage) -> None:
        """Make a message visible to all readers again."""
        ...


def job_of_message(text: str) -> str | None:
    """The id of the job whose ticket a message is about; None for any other message."""
    for form in _forms(text):
        with suppress(ValueError):
            message = read_json(form)
            if isinstance(message, dict):
                return ticket_job_run_id(
                    f"{message.get('ContainerName')}/{message.get('BlobName')}"
                )
    return None


def batch_of_message(text: str) -> Batch | None:
    """The batch of jobs that a message is; None for any other message."""
    for form in _forms(text):
        with suppress(RecordUnreadable):
            return batch_from_json(form)
    return None


def _forms(text: str) -> Iterator[bytes]:
    """The message as it is, and decoded."""
    yield text.encode(errors="replace")
    with suppress(ValueError):  # binascii.Error is one, and so is what no ASCII raises
        yield binascii.a2b_base64(text.encode(errors="replace"), strict_mode=True)
