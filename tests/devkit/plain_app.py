"""A small app in the runner, its storage, and the calls of its functions."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from devkit.azurite import Azurite
from devkit.runner import Runner

APPS = Path(__file__).parent / "apps"
PLAIN = APPS / "plain"
YEARLY = "0 0 0 1 1 *"
PARALLEL = "AzureFunctionsJobHost__extensions__blobs__maxDegreeOfParallelism"


class Storage:
    """The containers of one runner of the plain app, and the calls of its functions."""

    def __init__(self, azurite: Azurite) -> None:
        self.azurite = azurite
        self.id = uuid4().hex[:12]
        self.settings = {
            "AzureWebJobsStorage": azurite.connection_string,
            "AzureFunctionsWebHost__hostid": self.id,
            "DATA": azurite.connection_string,
            "INBOX": f"inbox-{self.id}",
            "QUEUE": f"queue-{self.id}",
            "CALLS": f"calls-{self.id}",
            "TICK_SCHEDULE": YEARLY,
        }
        self.blobs = BlobServiceClient.from_connection_string(azurite.connection_string)
        self.queues = QueueServiceClient.from_connection_string(azurite.connection_string)
        self._make(self.settings["CALLS"])
        self.queues.create_queue(self.settings["QUEUE"])

    def _make(self, name: str) -> ContainerClient:
        container = self.blobs.get_container_client(name)
        try:
            container.create_container()
        except ResourceExistsError:
            return container
        return container

    @property
    def inbox(self) -> ContainerClient:
        return self._make(self.settings["INBOX"])

    @property
    def host(self) -> ContainerClient:
        return self._make("azure-webjobs-hosts")

    def calls(self, function: str, **facts: object) -> list[dict[str, Any]]:
        """The calls of a function so far that have these facts."""
        container = self.blobs.get_container_client(self.settings["CALLS"])
        names = [blob.name for blob in container.list_blobs(name_starts_with=f"{function}/")]
        calls = [json.loads(container.download_blob(name).readall()) for name in names]
        return [call for call in calls if facts.items() <= call.items()]

    def messages(self, queue: str, read: Callable[[str], Any] = json.loads) -> list[Any]:
        """What is visible on a queue of base64 text."""
        policy = TextBase64DecodePolicy()
        with self.queues.get_queue_client(queue, message_decode_policy=policy) as client:
            return [read(message.content) for message in client.peek_messages(32)]

    def send(self, text: str) -> None:
        """Put a message on the queue of the trigger."""
        name, policy = self.settings["QUEUE"], TextBase64EncodePolicy()
        with self.queues.get_queue_client(name, message_encode_policy=policy) as client:
            client.send_message(text)

    def close(self) -> None:
        self.blobs.close()
        self.queues.close()


def until[T](look: Callable[[], T]) -> T:
    """The first truthy thing that `look` finds; the limit only ends a test that has failed."""
    deadline = time.monotonic() + 120
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail("nothing after 120 s")
        time.sleep(0.05)
    return found


def function_key(runner: Runner) -> dict[str, str]:
    return {"x-functions-key": runner.function_key}


def master_key(runner: Runner) -> dict[str, str]:
    return {"x-functions-key": runner.master_key}


def poison_messages(storage: Storage) -> list[dict[str, Any]]:
    """The messages of the poison queue, which is made with the first of them."""
    names = [queue.name for queue in storage.queues.list_queues()]
    name = "webjobs-blobtrigger-poison"
    return storage.messages(name) if name in names else []
