"""The results queue. Edge: azure.storage.queue.

Sent with the SDK, not with an output binding: a binding is flushed after the function has returned,
so nobody could know that the message arrived before the job is marked as reported.
"""

from azure.storage.queue import QueueClient

from gem_core.storage.errors import queue_errors

NEVER_EXPIRES = -1
"""Put Message, messagettl: without it a message that nobody read would vanish after seven days."""


class ResultsQueue:
    """Sends manifests."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    def send(self, body: str) -> None:
        """Put one message on the queue; returns when the queue has it.

        Raises:
            StoreMissing: there is no such queue.
            StoreError: the queue refused it or did not answer; it may have arrived all the same.

        """
        with queue_errors(self._queue.queue_name):
            self._queue.send_message(body, time_to_live=NEVER_EXPIRES)
