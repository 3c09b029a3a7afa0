"""Processes the messages of a storage queue, like the Storage extension. Edge.

Source of the rules: QueueListener and QueueProcessor of the Storage extension, and runs of it
(tests/devkit/beside). A message is hidden while its function runs. After a failure it becomes
visible again. After the maximum number of attempts it is moved to a poison queue. A queue that
refuses access or does not answer ends the host.
"""

import base64
import binascii
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

logger = logging.getLogger(__name__)

DEFAULT_VISIBILITY_SECONDS = 600
"""Long enough for the audit of a large file. The runner does not renew messages."""
UNANSWERED_SECONDS = 24.0
"""How long the host's client tries again (6 tries) when storage does not answer; measured."""

_EMPTY_SECONDS = 0.25
_AGAIN_SECONDS = 1.0
_SERVER_ERROR = 500
_TAKEN_BY_OTHERS = {"MessageNotFound", "PopReceiptMismatch"}
"""The codes of storage when a message became visible before its function ended."""

type Handle = Callable[[QueueMessage, str], bool]
"""Processes a message, of which the text is decoded. False: the function failed. An AzureError
ends the host."""


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How messages are processed."""

    batch: int
    """Messages that are received at once."""
    threshold: int
    """Messages are received while at most so many are in work."""
    tries: int
    visibility_seconds: int = DEFAULT_VISIBILITY_SECONDS
    retry_seconds: int = 0
    """Seconds for which a message is hidden after a failure."""


class TriggerQueue:
    """Processes the messages of one queue in a loop."""

    def __init__(
        self,
        queue: QueueClient,
        handle: Handle,
        poison: Callable[[str], QueueClient],
        policy: QueuePolicy,
        *,
        stop: threading.Event,
    ) -> None:
        """`poison` returns the poison queue of a message's text; the queue exists then."""
        self._queue = queue
        self._handle = handle
        self._poison = poison
        self._policy = policy
        self._stop = stop
        self._changed = threading.Condition()
        self._working = 0
        self._error: AzureError | None = None

    def post(self, text: str) -> None:
        """Send a message to the queue."""
        self._queue.send_message(_encode(text))
        self._wake()

    def run(self) -> None:
        """Receive and process messages in a loop. Blocks until `stop`.

        Raises:
            AzureError: storage refused access, or did not answer for `UNANSWERED_SECONDS`.

        """
        while not self._stop.is_set():
            with self._changed:
                if self._error:
                    raise self._error
                if self._working > self._policy.threshold:
                    self._changed.wait(_EMPTY_SECONDS)
                    continue
            messages = self._receive()
            with self._changed:
                self._working += len(messages)
                if not messages:
                    self._changed.wait(_EMPTY_SECONDS)
            for message in messages:
                threading.Thread(target=self._work, args=(message,), daemon=True).start()

    @property
    def _name(self) -> str:
        return str(self._queue.queue_name)

    def _receive(self) -> list[QueueMessage]:
        number, hidden = self._policy.batch, self._policy.visibility_seconds

        def receive() -> list[QueueMessage]:
            found = self._queue.receive_messages(
                max_messages=number, messages_per_page=number, visibility_timeout=hidden
            )
            return list(found)

        try:
            return patiently(receive, self._stop)
        except ResourceNotFoundError:  # the host waits for the queue; it never makes it
            return []
        except HttpResponseError as error:
            if _is_of_server(error):
                logger.warning("Queue %s cannot be read: %s", self._name, error)
                return []
            raise

    def _work(self, message: QueueMessage) -> None:
        try:
            self._process(message)
        except AzureError as error:
            if getattr(error, "error_code", "") in _TAKEN_BY_OTHERS:
                logger.warning("A message of %s was visible too early: %s", self._name, error)
            elif not self._stop.is_set():
                self._error = error
        finally:
            with self._changed:
                self._working -= 1
            self._wake()

    def _process(self, message: QueueMessage) -> None:
        tried, most = message.dequeue_count or 1, self._policy.tries
        text = _decode(message.content)
        if text is None:
            logger.error("Message %s of %s is not base64", message.id, self._name)
            self._move_to_poison(message, "")
        elif tried > most:
            self._move_to_poison(message, text)  # without a run
        elif self._handle(message, text):
            patiently(lambda: self._queue.delete_message(message), self._stop)
        elif tried == most:
            self._move_to_poison(message, text)
        else:
            hidden = self._policy.retry_seconds
            patiently(
                lambda: self._queue.update_message(message, visibility_timeout=hidden), self._stop
            )

    def _move_to_poison(self, message: QueueMessage, text: str) -> None:
        """Send the message as it is to the poison queue, where it stays for seven days."""
        poison = self._poison(text)
        patiently(lambda: poison.send_message(message.content), self._stop)
        patiently(lambda: self._queue.delete_message(message), self._stop)
        text = "Message %s of %s was tried %s times and was moved to %s"
        logger.error(text, message.id, self._name, message.dequeue_count, poison.queue_name)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def patiently[T](do: Callable[[], T], stop: threading.Event) -> T:
    """Call storage; without an answer, or with a 5xx, again until `UNANSWERED_SECONDS` have passed.

    Raises:
        AzureError: storage refused, or did not answer.

    """
    deadline = time.monotonic() + UNANSWERED_SECONDS
    while True:
        try:
            return do()
        except AzureError as error:
            answered = isinstance(error, HttpResponseError) and not _is_of_server(error)
            if answered or stop.wait(_AGAIN_SECONDS) or time.monotonic() > deadline:
                raise


def _is_of_server(error: HttpResponseError) -> bool:
    return (error.status_code or 0) >= _SERVER_ERROR


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(content: str) -> str | None:
    """The text of a message; None if it is not base64. What is not UTF-8 is replaced."""
    try:
        return base64.b64decode(content, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return None
