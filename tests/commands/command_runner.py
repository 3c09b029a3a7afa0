"""Runs commands in this process, on the stores of the emulator."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from devkit.azurite import Azurite
from gem_core.__main__ import main
from gem_core.storage.names import BATCHES, CONTAINERS, POISON_QUEUES
from tests.wiring.fresh import forget_edges


@dataclass
class CommandRunner:
    """Runs commands and returns their output."""

    azurite: Azurite
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """The exit code, standard output and standard error of a command."""
        forget_edges()
        self.capture.readouterr()
        code = main(words)
        out, err = self.capture.readouterr()
        return code, out, err

    def json(self, *words: str) -> Any:  # noqa: ANN401 - any JSON value
        """The JSON that a command prints."""
        code, out, err = self(*words, "--json")
        assert code == 0, err
        return json.loads(out)


def empty_stores(azurite: Azurite) -> None:
    """Create the containers and queues of the app, and delete what earlier tests left in them."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:
        for name in CONTAINERS:
            container = blobs.get_container_client(name)
            if not container.exists():
                container.create_container()
            for blob in container.list_blobs():
                container.delete_blob(blob.name)
    with QueueServiceClient.from_connection_string(azurite.connection_string) as queues:
        names = {queue.name for queue in queues.list_queues()}
        for name in ("gem-results", BATCHES, *POISON_QUEUES):
            if name not in names:
                queues.create_queue(name)
            queues.get_queue_client(name).clear_messages()
