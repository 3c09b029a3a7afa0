"""Works through a storage queue, several messages at once, as the Storage extension does. Edge.

Source of the rules: QueueProcessor of the Storage extension. A message is hidden while its function
runs. A failure makes it visible again, until the number of tries is used up; then it goes to a
poison queue.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueMessage

logger = logging.getLogger(__name__)

DEFAULT_VISIBILITY_SECONDS = 600
"""Long enough for the audit of a large file, since the runner does not renew messages."""

_EMPTY_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Failed:
    """A message whose function failed."""

    what: str
    """For the log."""
    poison: Callable[[], QueueClient]
    """Where it goes when all tries failed; called then, and the queue exists."""


type Handle = Callable[[QueueMessage], Failed | None]
"""Handles a message; None when it is done with and may go. AzureError leaves it where it is."""


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How messages are taken."""

    parallel: int
    tries: int
    visibility_seconds: int = DEFAULT_VISIBILITY_SECONDS
    retry_seconds: int = 0
    """How long a message stays hidden after a failure."""


class TriggerQueue:
    """The loop of one queue."""

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
        """Put a message on the queue."""
        self._queue.send_message(text, time_to_live=-1)
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
                logger.warning("A message of %s is not released: %s", self._name, error)

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
            # It was visible again before the function ended, or storage is away: it comes back.
            logger.warning("A message of %s stays there: %s", self._name, error)
        finally:
            del self._held[message.id]
            self._slots.release()
            self._posted.set()

    def _is_poisoned(self, message: QueueMessage, failed: Failed) -> bool:
        """Whether all tries are used up; the message is then on the poison queue."""
        if (message.dequeue_count or 1) < self._policy.tries:
            return False
        poison = failed.poison()
        poison.send_message(message.content, time_to_live=-1)
        logger.error(
            "%s failed %s times; its message is in %s",
            failed.what,
            message.dequeue_count,
            poison.queue_name,
        )
        return True
