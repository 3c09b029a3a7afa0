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
        """About how many batches are on the queue, with the hidden and the running ones.

        Raises:
            StoreMissing: there is no such queue.
            StoreError: the queue did not answer.

        """
        return message_count(self._queue)

    def send(self, batch: Batch, *, hidden: timedelta, kept: timedelta) -> None:
        """Send a batch.

        Args:
            batch: the jobs.
            hidden: how long it is hidden from receivers.
            kept: how long until the queue deletes it if nobody received it; more than `hidden`.

        Raises:
            StoreMissing: there is no such queue.
            StoreError: the queue refused it or did not answer; it may have arrived nevertheless.

        """
        with queue_errors(self._queue.queue_name):
            self._queue.send_message(
                batch.to_json(),
                visibility_timeout=int(hidden.total_seconds()),
                time_to_live=max(int(kept.total_seconds()), int(hidden.total_seconds()) + 1),
            )
