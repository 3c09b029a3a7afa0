"""The queues where a trigger's message ends that failed too often. Edge: azure.storage.queue.

The Functions host makes such a queue when it first needs it, so one that is not there is empty.
Blob triggers put theirs on `webjobs-blobtrigger-poison` of the trigger's account, whatever the
function ("Azure Blob storage trigger", poison blobs).
"""

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from gem_core.storage.errors import code_of, queue_error
from gem_core.watch.poison import PoisonMessage

PAGE = 32
"""The service's own limit for a page of messages (Peek Messages, numofmessages)."""
HELD_SECONDS = 300
"""How long a message that was taken stays hidden from others; it comes back by itself."""


class PoisonQueue:
    """One queue of failed messages. Every method raises StoreError when storage is in the way."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    @property
    def name(self) -> str:
        """Of the queue."""
        return self._queue.queue_name

    def count(self) -> int:
        """How many messages there are, about."""
        try:
            return self._queue.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0
        except AzureError as error:
            raise queue_error(self.name, error) from error

    def peek(self) -> tuple[PoisonMessage, ...]:
        """The first messages, at most 32; nothing changes."""
        try:
            return tuple(map(_message, self._queue.peek_messages(PAGE)))
        except ResourceNotFoundError:
            return ()
        except AzureError as error:
            raise queue_error(self.name, error) from error

    def take(self) -> tuple[PoisonMessage, ...]:
        """The next messages, at most 32, hidden from others for five minutes; () at the end."""
        try:
            pages = self._queue.receive_messages(
                messages_per_page=PAGE, max_messages=PAGE, visibility_timeout=HELD_SECONDS
            )
            return tuple(map(_message, pages))
        except ResourceNotFoundError:
            return ()
        except AzureError as error:
            raise queue_error(self.name, error) from error

    def delete(self, message: PoisonMessage) -> None:
        """Take a message off; one that is gone, or in other hands by now, is fine."""
        try:
            self._queue.delete_message(message.id, message.receipt)
        except AzureError as error:
            if not _is_out_of_hand(error):
                raise queue_error(self.name, error) from error

    def put_back(self, message: PoisonMessage) -> None:
        """Show a message that was taken to everybody again; one that is gone is fine."""
        try:
            self._queue.update_message(message.id, message.receipt, visibility_timeout=0)
        except AzureError as error:
            if not _is_out_of_hand(error):
                raise queue_error(self.name, error) from error


def _is_out_of_hand(error: AzureError) -> bool:
    """The message is gone, or was taken by somebody else after our time with it had passed."""
    return isinstance(error, ResourceNotFoundError) or code_of(error) == "PopReceiptMismatch"


def _message(message: QueueMessage) -> PoisonMessage:
    content = message.content
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    return PoisonMessage(message.id, text, message.inserted_on, message.pop_receipt or "")
