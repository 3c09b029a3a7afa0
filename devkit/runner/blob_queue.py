"""The internal queue between written blobs and the functions they trigger. Edge.

Source of the rules: BlobQueueTriggerExecutor of the Storage extension. A blob that is gone drops
its message; what fails five times goes to `webjobs-blobtrigger-poison` of the trigger's account.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from devkit.runner.blob_message import BlobMessage
from devkit.runner.trigger_queue import Failed, QueuePolicy, TriggerQueue

logger = logging.getLogger(__name__)

POISON_QUEUE = "webjobs-blobtrigger-poison"


class BlobTarget(Protocol):
    """A function with a blob trigger."""

    def run(self, message: BlobMessage) -> bool:
        """Fetch the blob and call the function; whether it succeeded.

        Raises:
            ResourceNotFoundError: the blob is gone.

        """

    def poison(self) -> QueueClient:
        """Where a message goes when all tries failed; the queue exists."""


class BlobQueue:
    """Posts messages and works through them, several at once."""

    def __init__(
        self,
        queue: QueueClient,
        targets: Mapping[str, BlobTarget],
        policy: QueuePolicy,
        *,
        stop: threading.Event,
    ) -> None:
        """`targets` is keyed by `BlobMessage.function_id`."""
        self._targets = targets
        self.queue = TriggerQueue(queue, self._handle, policy, stop=stop)

    def post(self, message: BlobMessage) -> None:
        """Put a message on the queue."""
        self.queue.post(message.to_json())

    def _handle(self, message: QueueMessage) -> Failed | None:
        try:
            parsed = BlobMessage.parse(message.content)
            target = self._targets[parsed.function_id]
        except (ValueError, KeyError, TypeError):
            logger.warning("A message for no function of this app is dropped: %s", message.content)
            return None
        what = f"{parsed.container}/{parsed.blob}"
        try:
            succeeded = target.run(parsed)
        except ResourceNotFoundError:
            logger.info("%s is gone; its message is dropped", what)
            return None
        except AzureError as error:
            logger.warning("%s cannot be read: %s", what, error)
            succeeded = False
        return None if succeeded else Failed(what, target.poison)
