"""Reads the poison queues: a trigger's message goes there when it failed too often.

Edge: azure.storage.queue. The Functions host creates such a queue when it first needs it, so a
queue that does not exist is empty. All blob triggers of a storage account share
`webjobs-blobtrigger-poison` ("Azure Blob storage trigger", poison blobs).
"""

from contextlib import suppress

from azure.storage.queue import QueueClient, QueueMessage

from gem_core.errors import RecordConflict, StoreMissing
from gem_core.storage.errors import queue_errors
from gem_core.storage.queues import message_count
from gem_core.watch.poison import PAGE, PoisonMessage

HELD_SECONDS = 300
"""How long a taken message is hidden from other readers."""


class PoisonQueue:
    """One poison queue. Each method raises StoreError when storage refuses or does not answer."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    @property
    def name(self) -> str:
        """The name of the queue."""
        return self._queue.queue_name

    def count(self) -> int:
        """The approximate number of messages."""
        with suppress(StoreMissing):
            return message_count(self._queue)
        return 0

    def peek(self) -> tuple[PoisonMessage, ...]:
        """The first messages, at most 32. Changes nothing."""
        with suppress(StoreMissing), queue_errors(self.name):
            return tuple(map(_message, self._queue.peek_messages(PAGE)))
        return ()

    def take(self) -> tuple[PoisonMessage, ...]:
        """The next messages, at most 32, which are then hidden for five minutes; () at the end."""
        with suppress(StoreMissing), queue_errors(self.name):
            messages = self._queue.receive_messages(
                messages_per_page=PAGE, max_messages=PAGE, visibility_timeout=HELD_SECONDS
            )
            return tuple(map(_message, messages))
        return ()

    def delete(self, message: PoisonMessage) -> None:
        """Delete a message, unless it was deleted or another reader has taken it since."""
        with suppress(RecordConflict, StoreMissing), queue_errors(self.name):
            self._queue.delete_message(message.id, message.receipt)

    def put_back(self, message: PoisonMessage) -> None:
        """Make a message visible, unless it was deleted or another reader has taken it since."""
        with suppress(RecordConflict, StoreMissing), queue_errors(self.name):
            self._queue.update_message(message.id, message.receipt, visibility_timeout=0)


def _message(message: QueueMessage) -> PoisonMessage:
    content = message.content
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    receipt = message.pop_receipt or ""
    return PoisonMessage(message.id, text, message.inserted_on, receipt, message.expires_on)
