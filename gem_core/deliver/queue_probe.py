"""Proves that messages may be sent to a queue, without any that a receiver could get. Edge:
azure.storage.queue.
"""

from contextlib import suppress

from azure.storage.queue import QueueClient

from gem_core.errors import StoreError
from gem_core.storage.errors import queue_errors
from gem_core.storage.queues import message_count

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
        return message_count(self._queue)

    def rehearse(self) -> None:
        """Send a message that is hidden for all of its life but the last second; take it back.

        Only when this process ends between the two, and somebody receives in that one second five
        minutes later, is it ever seen.
        """
        with queue_errors(self.name):
            sent = self._queue.send_message(
                REHEARSAL, visibility_timeout=HIDDEN_SECONDS, time_to_live=HIDDEN_SECONDS + 1
            )
        with suppress(StoreError), queue_errors(self.name):
            self._queue.delete_message(sent)  # who may not: it expires before anybody sees it
