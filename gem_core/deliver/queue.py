"""The results queue. Edge: azure.storage.queue.

Sent with the SDK, not with an output binding: a binding is flushed after the function has returned,
so nobody could know that the message arrived before the job is marked as reported.
"""

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient

from gem_core.errors import StoreError, StoreMissing, StoreRefused
from gem_core.storage_errors import code_of, is_refusal

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
        try:
            self._queue.send_message(body, time_to_live=NEVER_EXPIRES)
        except AzureError as error:
            raise queue_error(self._queue.queue_name, error) from error


def queue_error(name: str, error: AzureError) -> StoreError:
    """A queue's error as ours, one for each way on."""
    if isinstance(error, ResourceNotFoundError):
        return StoreMissing(
            f"queue {name!r} does not exist in GEM_STATE: create it (the infrastructure does so)"
        )
    said = code_of(error) or type(error).__name__
    if is_refusal(error):
        return StoreRefused(
            f"queue {name!r}: storage refused ({said}): check the identity or key of GEM_STATE, "
            "its role, and the storage firewall"
        )
    return StoreError(f"queue {name!r}: {said}")
