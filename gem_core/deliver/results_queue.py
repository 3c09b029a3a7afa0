"""Sends manifests to the results queue. Edge: azure.storage.queue.

Messages are sent with the SDK, not with an output binding. The host sends the message of a binding
after the function has returned, and by then the job is marked as delivered.
"""

from azure.storage.queue import QueueClient

from gem_core.storage.errors import queue_errors

NEVER_EXPIRES = -1
"""The time to live. By default, a message that nobody reads is deleted after seven days (Put
Message, messagettl)."""


class ResultsQueue:
    """The results queue."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    def send(self, body: str) -> None:
        """Send one message; returns when it is on the queue.

        Raises:
            StoreMissing: the queue does not exist.
            StoreError: the queue refused the message or did not answer; it may still have received
                the message.

        """
        with queue_errors(self._queue.queue_name):
            self._queue.send_message(body, time_to_live=NEVER_EXPIRES)
