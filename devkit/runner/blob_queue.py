"""The internal queue between written blobs and the functions that they trigger. Edge.

Source of the rules: BlobQueueTriggerExecutor of the Storage extension. If a blob does not exist any
more, its message is deleted. After five failures, the message is moved to
`webjobs-blobtrigger-poison` in the trigger's account.
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
        """Download the blob and call the function. Returns whether it succeeded.

        Raises:
            ResourceNotFoundError: the blob does not exist any more.

        """

    def poison(self) -> QueueClient:
        """The queue for messages whose attempts have all failed. It exists."""


class BlobQueue:
    """Sends messages and processes them, several in parallel."""

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
        """Send a message to the queue."""
        self.queue.post(message.to_json())

    def _handle(self, message: QueueMessage) -> Failed | None:
        try:
            parsed = BlobMessage.parse(message.content)
            target = self._targets[parsed.function_id]
        except (ValueError, KeyError, TypeError):
            logger.warning("A message for an unknown function is deleted: %s", message.content)
            return None
        what = f"{parsed.container}/{parsed.blob}"
        try:
            succeeded = target.run(parsed)
        except ResourceNotFoundError:
            logger.info("%s does not exist any more; its message is deleted", what)
            return None
        except AzureError as error:
            logger.warning("%s cannot be read: %s", what, error)
            succeeded = False
        return None if succeeded else Failed(what, target.poison)
