"""A function with a queue trigger: calls it with each message of its queue. Edge."""

import contextlib
import json

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient, QueueMessage

from devkit.runner.app import Function
from devkit.runner.blob_target import Call
from devkit.runner.connections import HOST_STORAGE, Connections
from devkit.runner.worker import TypedData

POISON_SUFFIX = "-poison"


class QueueFunction:
    """A function with a queue trigger, and its queue."""

    def __init__(self, function: Function, connections: Connections, call: Call) -> None:
        self.function = function
        self._connections = connections
        self._connection = str(function.trigger.get("connection") or HOST_STORAGE)
        self._name = str(function.trigger["queueName"])
        self._call = call

    def queue(self) -> QueueClient:
        """The trigger's queue. The host never makes it."""
        return self._connections.queue(self._connection, self._name)

    def poison(self) -> QueueClient:
        """The poison queue; it is made if it does not exist."""
        queue = self._connections.queue(self._connection, self._name + POISON_SUFFIX)
        with contextlib.suppress(ResourceExistsError):
            queue.create_queue()
        return queue

    def handle(self, message: QueueMessage, text: str) -> bool:
        """Call the function with a message of the queue. Returns whether it succeeded."""
        moments = {
            "ExpirationTime": message.expires_on,
            "InsertionTime": message.inserted_on,
            "NextVisibleTime": message.next_visible_on,
        }
        metadata = {
            "QueueTrigger": TypedData(string=text),
            "Id": TypedData(string=message.id),
            "PopReceipt": TypedData(string=message.pop_receipt),
            "DequeueCount": TypedData(string=str(message.dequeue_count)),
        } | {
            name: TypedData(json=json.dumps(moment.isoformat()))
            for name, moment in moments.items()
            if moment
        }
        return self._call(self.function, TypedData(string=text), metadata)

    def run(self, text: str) -> None:
        """Call the function with a text that did not come from the queue."""
        metadata = {
            "QueueTrigger": TypedData(string=text),
            "Id": TypedData(string="admin"),
            "PopReceipt": TypedData(string=""),
            "DequeueCount": TypedData(string="1"),
        }
        self._call(self.function, TypedData(string=text), metadata)
