"""The internal queue between written blobs and the functions that they trigger. Edge.

Source of the rules: BlobQueueTriggerExecutor of the Storage extension, and runs of it
(tests/devkit/beside). If a blob does not exist any more, its message is deleted. So is a message
for an unknown function; one without a function, or a blob that cannot be read, ends the host.
"""

import logging
import threading
from collections.abc import Mapping
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from devkit.runner.blob_message import BlobMessage
from devkit.runner.trigger_queue import QueuePolicy, TriggerQueue, patiently

logger = logging.getLogger(__name__)

POISON_QUEUE = "webjobs-blobtrigger-poison"


class BlobTarget(Protocol):
    """A function with a blob trigger."""

    def run(self, message: BlobMessage) -> bool:
        """Download the blob and call the function. Returns whether it succeeded.

        Raises:
            ResourceNotFoundError: the blob does not exist any more.
            AzureError: the blob cannot be read.

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
        """`targets` is keyed by the name of the function."""
        self._targets = targets
        self._stop = stop
        self.queue = TriggerQueue(queue, self._handle, self._poison, policy, stop=stop)

    def post(self, text: str) -> None:
        """Send a message to the queue."""
        self.queue.post(text)

    def _handle(self, _message: QueueMessage, text: str) -> bool:
        parsed = _parse(text)
        if parsed and not parsed.function_id:
            raise AzureError("a message of the blob trigger has no function: Invalid function ID")
        target = self._target(parsed)
        if not parsed or not target:
            logger.warning("A message for an unknown function is deleted: %s", text)
            return True
        try:
            return patiently(lambda: target.run(parsed), self._stop)
        except ResourceNotFoundError:
            what = f"{parsed.container}/{parsed.blob}"
            logger.info("%s does not exist any more; its message is deleted", what)
            return True

    def _poison(self, text: str) -> QueueClient:
        return (self._target(_parse(text)) or next(iter(self._targets.values()))).poison()

    def _target(self, message: BlobMessage | None) -> BlobTarget | None:
        """The function of a message. The id may lack its prefix."""
        name = message.function_id.removeprefix("Host.Functions.") if message else ""
        return self._targets.get(name)


def _parse(text: str) -> BlobMessage | None:
    try:
        return BlobMessage.parse(text)
    except (ValueError, KeyError, TypeError):
        return None
