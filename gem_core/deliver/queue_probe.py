"""Tests whether messages may be sent to a queue, with a message that no receiver gets.

Edge: azure.storage.queue.
"""

from contextlib import suppress
from datetime import datetime

from azure.storage.queue import QueueClient

from gem_core.errors import StoreError
from gem_core.storage.errors import queue_errors
from gem_core.storage.queues import message_count

PROBE = '{"probe": "GEM Courier tests whether it may send; ignore this"}'
HIDDEN_SECONDS = 300


class QueueProbe:
    """One queue. Each method raises StoreError when storage refuses it or does not answer."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    @property
    def name(self) -> str:
        """The name of the queue."""
        return self._queue.queue_name

    def waiting(self) -> int:
        """The approximate number of messages."""
        return message_count(self._queue)

    def oldest_at(self) -> datetime | None:
        """When the oldest of the visible messages came; None without one. Changes nothing."""
        with queue_errors(self.name):
            return next((each.inserted_on for each in self._queue.peek_messages(1)), None)

    def try_send(self) -> None:
        """Send a message that is hidden until one second before it expires, and delete it at once.

        If this process dies in between, a receiver may get the message during that last second,
        five minutes later.
        """
        with queue_errors(self.name):
            sent = self._queue.send_message(
                PROBE, visibility_timeout=HIDDEN_SECONDS, time_to_live=HIDDEN_SECONDS + 1
            )
        with suppress(StoreError), queue_errors(self.name):
            self._queue.delete_message(sent)  # if deleting is not allowed, it expires
