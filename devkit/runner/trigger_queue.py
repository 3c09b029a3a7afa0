"""Processes the messages of a storage queue in parallel, like the Storage extension. Edge.

Source of the rules: QueueProcessor of the Storage extension. A message is hidden while its function
runs. After a failure it becomes visible again. After the maximum number of attempts it is moved to
a poison queue.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueMessage

logger = logging.getLogger(__name__)

DEFAULT_VISIBILITY_SECONDS = 600
"""Long enough for the audit of a large file. The runner does not renew messages."""

_EMPTY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Failed:
    """A message whose function failed."""

    what: str
    """Description for the log."""
    poison: Callable[[], QueueClient]
    """Returns the poison queue, which exists. Called after the last attempt."""


type Handle = Callable[[QueueMessage], Failed | None]
"""Processes a message. None: the message is deleted. AzureError: the message stays in the queue."""


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How messages are processed."""

    parallel: int
    tries: int
    visibility_seconds: int = DEFAULT_VISIBILITY_SECONDS
    retry_seconds: int = 0
    """Seconds for which a message is hidden after a failure."""


class TriggerQueue:
    """Processes the messages of one queue in a loop."""

    def __init__(
        self, queue: QueueClient, handle: Handle, policy: QueuePolicy, *, stop: threading.Event
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._policy = policy
        self._stop = stop
        self._slots = threading.Semaphore(policy.parallel)
        self._posted = threading.Event()
        self._held: dict[str, QueueMessage] = {}

    def post(self, text: str) -> None:
        """Send a message to the queue."""
        self._queue.send_message(text, time_to_live=-1)
        self._posted.set()

    def run(self) -> None:
        """Receive and process messages in a loop. Blocks until `stop`."""
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
        """Make messages visible again if their functions have not ended. For a normal stop."""
        for message in list(self._held.values()):
            try:
                self._queue.update_message(message, visibility_timeout=0)
            except AzureError as error:
                logger.warning("A message of %s could not be released: %s", self._name, error)

    @property
    def _name(self) -> str:
        return str(self._queue.queue_name)

    def _receive(self) -> QueueMessage | None:
        try:
            return self._queue.receive_message(visibility_timeout=self._policy.visibility_seconds)
        except AzureError as error:
            logger.warning("Queue %s cannot be read: %s", self._name, error)
            return None

    def _work(self, message: QueueMessage) -> None:
        try:
            failed = self._handle(message)
            if failed is None or self._is_poisoned(message, failed):
                self._queue.delete_message(message)
            else:
                hidden = self._policy.retry_seconds
                self._queue.update_message(message, visibility_timeout=hidden)
        except AzureError as error:
            # The message became visible before the function ended, or storage does not answer. In
            # both cases it will be received again.
            logger.warning("A message of %s stays in the queue: %s", self._name, error)
        finally:
            del self._held[message.id]
            self._slots.release()
            self._posted.set()

    def _is_poisoned(self, message: QueueMessage, failed: Failed) -> bool:
        """After the last attempt, send the message to the poison queue and return True."""
        if (message.dequeue_count or 1) < self._policy.tries:
            return False
        poison = failed.poison()
        poison.send_message(message.content, time_to_live=-1)
        logger.error(
            "%s failed %s times; its message was moved to %s",
            failed.what,
            message.dequeue_count,
            poison.queue_name,
        )
        return True
