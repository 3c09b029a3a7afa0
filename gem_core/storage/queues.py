"""A function for all queues of the app. Edge: azure.storage.queue."""

from azure.storage.queue import QueueClient

from gem_core.storage.errors import queue_errors


def message_count(queue: QueueClient) -> int:
    """The approximate number of messages in a queue, with the hidden ones.

    Raises:
        StoreMissing: the queue does not exist.
        StoreError: storage refused or did not answer.

    """
    with queue_errors(queue.queue_name):
        return queue.get_queue_properties().approximate_message_count or 0
