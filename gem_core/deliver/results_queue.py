"""The results queue. Edge: azure.storage.queue.

Messages are sent with the SDK, not with an output binding: the host sends a binding's message after
the function has returned, when the job is already marked as delivered.
"""

from azure.storage.queue import QueueClient

from gem_core.storage.errors import queue_errors

NEVER_EXPIRES = -1
"""Put Message, messagettl: by default a message that nobody reads is deleted after seven days."""


class ResultsQueue:
    """Sends manifests."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    def send(self, body: str) -> None:
        """Send one message; returns when it is on the queue.

        Raises:
            StoreMissing: there is no such queue.
            StoreError: the queue refused it or did not answer; it may have arrived nevertheless.

        """
        with queue_errors(self._queue.queue_name):
            self._queue.send_message(body, time_to_live=NEVER_EXPIRES)
