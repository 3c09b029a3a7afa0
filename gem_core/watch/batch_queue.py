"""The queue between a tick and the runs of `check_batch`. Edge: azure.storage.queue."""

from datetime import timedelta

from azure.storage.queue import QueueClient

from gem_core.storage.errors import queue_errors
from gem_core.storage.queues import message_count
from gem_core.watch.batch import Batch


class BatchQueue:
    """Sends batches to `check_batch`."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    def waiting(self) -> int:
        """The approximate number of batches on the queue, including hidden and running ones.

        Raises:
            StoreMissing: the queue does not exist.
            StoreError: the queue did not answer.

        """
        return message_count(self._queue)

    def send(self, batch: Batch, *, hidden_for: timedelta, expires_after: timedelta) -> None:
        """Send a batch.

        Args:
            batch: the jobs.
            hidden_for: how long the queue hides it from receivers.
            expires_after: after this time the queue deletes it if it was not received. Azure
                accepts only a longer time than `hidden_for`.

        Raises:
            StoreMissing: the queue does not exist.
            StoreError: the queue refused the batch or did not answer; it may still have received
                the batch.

        """
        hidden_seconds = int(hidden_for.total_seconds())
        with queue_errors(self._queue.queue_name):
            self._queue.send_message(
                batch.to_json(),
                visibility_timeout=hidden_seconds,
                time_to_live=max(int(expires_after.total_seconds()), hidden_seconds + 1),
            )
