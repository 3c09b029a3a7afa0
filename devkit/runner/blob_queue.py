"""The internal queue between written blobs and the functions they trigger. Edge.

Source of the rules: BlobQueueTriggerExecutor and QueueProcessor of the Storage extension. A blob
that is gone drops its message. A failure makes the message visible again at once, until the number
of tries is used up; then it goes to `webjobs-blobtrigger-poison` of the trigger's account.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from devkit.runner.blob_message import BlobMessage

logger = logging.getLogger(__name__)

POISON_QUEUE = "webjobs-blobtrigger-poison"
DEFAULT_VISIBILITY_SECONDS = 600
"""Long enough for the audit of a large file, since the runner does not renew messages."""

_EMPTY_SECONDS = 0.25


class BlobTarget(Protocol):
    """A function with a blob trigger."""

    def run(self, message: BlobMessage) -> bool:
        """Fetch the blob and call the function; whether it succeeded.

        Raises:
            ResourceNotFoundError: the blob is gone.

        """

    def poison(self) -> QueueClient:
        """Where a message goes when all tries failed; the queue exists."""


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How messages are taken."""

    parallel: int
    tries: int
    visibility_seconds: int = DEFAULT_VISIBILITY_SECONDS


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
        self._queue = queue
        self._targets = targets
        self._policy = policy
        self._stop = stop
        self._slots = threading.Semaphore(policy.parallel)
        self._posted = threading.Event()
        self._held: dict[str, QueueMessage] = {}

    def post(self, message: BlobMessage) -> None:
        """Put a message on the queue."""
        self._queue.send_message(message.to_json(), time_to_live=-1)
        self._posted.set()

    def run(self) -> None:
        """The loop; blocks until `stop`."""
        while not self._stop.is_set():
            if not self._slots.acquire(timeout=_EMPTY_SECONDS):
                continue
            self._posted.clear()
            message = self._receive()
            if message:
                self._held[message.id] = message
                work = threading.Thread(target=self._work, args=(message,), daemon=True)
                work.start()
            else:
                self._slots.release()
                self._posted.wait(_EMPTY_SECONDS)

    def release(self) -> None:
        """Make the messages visible again whose functions have not ended; for a clean stop."""
        for message in list(self._held.values()):
            try:
                self._queue.update_message(message, visibility_timeout=0)
            except AzureError as error:
                logger.warning("A message of the blob trigger could not be released: %s", error)

    def _receive(self) -> QueueMessage | None:
        try:
            return self._queue.receive_message(visibility_timeout=self._policy.visibility_seconds)
        except AzureError as error:
            logger.warning("The blob trigger's queue cannot be read: %s", error)
            return None

    def _work(self, message: QueueMessage) -> None:
        try:
            if self._is_done(message):
                self._queue.delete_message(message)
            else:
                self._queue.update_message(message, visibility_timeout=0)
        except AzureError as error:
            # It was visible again before the function ended, or storage is away: it comes back.
            logger.warning("A message of the blob trigger stays on its queue: %s", error)
        finally:
            del self._held[message.id]
            self._slots.release()
            self._posted.set()

    def _is_done(self, message: QueueMessage) -> bool:
        """Handle a message; whether it is to be deleted."""
        try:
            parsed = BlobMessage.parse(message.content)
            target = self._targets[parsed.function_id]
        except (ValueError, KeyError, TypeError):
            logger.warning("A message for no function of this app is dropped: %s", message.content)
            return True
        try:
            succeeded = target.run(parsed)
        except ResourceNotFoundError:
            logger.info("%s/%s is gone; its message is dropped", parsed.container, parsed.blob)
            return True
        except AzureError as error:
            logger.warning("%s/%s cannot be read: %s", parsed.container, parsed.blob, error)
            succeeded = False
        if succeeded or (message.dequeue_count or 1) < self._policy.tries:
            return succeeded
        target.poison().send_message(message.content, time_to_live=-1)
        logger.error(
            "%s/%s failed %s times; its message is in %s",
            parsed.container,
            parsed.blob,
            message.dequeue_count,
            POISON_QUEUE,
        )
        return True
