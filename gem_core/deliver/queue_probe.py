"""Proves that messages may be sent to a queue, without any that a receiver could get. Edge:
azure.storage.queue.
"""

from contextlib import suppress

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient

from gem_core.storage.errors import queue_error

REHEARSAL = '{"rehearsal": "of GEM Courier; no message to anybody"}'
HIDDEN_SECONDS = 300


class QueueProbe:
    """One queue. Every method raises StoreError when storage is in the way."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    @property
    def name(self) -> str:
        """Of the queue."""
        return self._queue.queue_name

    def waiting(self) -> int:
        """How many messages there are, about."""
        try:
            return self._queue.get_queue_properties().approximate_message_count or 0
        except AzureError as error:
            raise queue_error(self.name, error) from error

    def rehearse(self) -> None:
        """Send a message that is hidden for all of its life but the last second; take it back.

        Only when this process ends between the two, and somebody receives in that one second five
        minutes later, is it ever seen.
        """
        try:
            sent = self._queue.send_message(
                REHEARSAL, visibility_timeout=HIDDEN_SECONDS, time_to_live=HIDDEN_SECONDS + 1
            )
        except AzureError as error:
            raise queue_error(self.name, error) from error
        with suppress(AzureError):  # who may only send: it expires, hidden
            self._queue.delete_message(sent)
