"""A function with a blob trigger: downloads the blob and calls the function with it. Edge."""

import contextlib
import json
from collections.abc import Callable, Mapping

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobProperties, ContainerClient
from azure.storage.queue import QueueClient

from devkit.runner.app import Function
from devkit.runner.blob_message import BlobMessage
from devkit.runner.blob_path import BlobPath
from devkit.runner.blob_queue import POISON_QUEUE
from devkit.runner.connections import HOST_STORAGE, Connections
from devkit.runner.worker import TypedData

type Call = Callable[[Function, TypedData, Mapping[str, TypedData]], bool]
"""Invokes a function with a value and metadata. Returns whether it succeeded."""


class BlobFunction:
    """A function with a blob trigger, its container and its path."""

    def __init__(self, function: Function, connections: Connections, call: Call) -> None:
        self.function = function
        self.path = BlobPath.parse(str(function.trigger["path"]))
        self._connection = str(function.trigger.get("connection") or HOST_STORAGE)
        self._connections = connections
        self._call = call
        self._service = connections.blobs(self._connection)

    def container(self, name: str = "") -> ContainerClient:
        """A container of the trigger's account; by default the container of the trigger."""
        return self._service.get_container_client(name or self.path.container)

    def run(self, message: BlobMessage) -> bool:
        """Call the function with the current content of the blob. Returns whether it succeeded.

        Raises:
            ResourceNotFoundError: the blob does not exist any more.

        """
        blob = self.container(message.container).get_blob_client(message.blob)
        download = blob.download_blob()
        metadata = {
            "BlobTrigger": TypedData(string=f"{message.container}/{message.blob}"),
            "Uri": TypedData(json=json.dumps(blob.url)),
            "Properties": TypedData(json=json.dumps(_properties(download.properties))),
            "Metadata": TypedData(json=json.dumps(download.properties.metadata or {})),
        }
        for token, text in (self.path.match(message.blob) or {}).items():
            metadata[token] = TypedData(string=text)
        return self._call(self.function, TypedData(bytes=download.readall()), metadata)

    def poison(self) -> QueueClient:
        """The poison queue in the trigger's account, or in the host's if that has no queues."""
        has_queues = self._connections.has_queues(self._connection)
        name = self._connection if has_queues else HOST_STORAGE
        queue = self._connections.queue(name, POISON_QUEUE)
        with contextlib.suppress(ResourceExistsError):
            queue.create_queue()
        return queue


def _properties(properties: BlobProperties) -> dict[str, object]:
    """The properties with the names of the .NET SDK, as the host serializes them."""
    return {
        "BlobType": str(properties.blob_type.value),
        "ContentLength": properties.size,
        "ContentType": properties.content_settings.content_type,
        "ETag": str(properties.etag).strip('"'),
        "LastModified": properties.last_modified.isoformat(),
    }
