"""What all of our queues have in common. Edge: azure.storage.queue."""

from azure.storage.queue import QueueClient

from gem_core.storage.errors import queue_errors


def message_count(queue: QueueClient) -> int:
    """About how many messages a queue has, hidden ones too.

    Raises:
        StoreMissing: there is no such queue.
        StoreError: the queue refused or did not answer.

    """
    with queue_errors(queue.queue_name):
        return queue.get_queue_properties().approximate_message_count or 0
