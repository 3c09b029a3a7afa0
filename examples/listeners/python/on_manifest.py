"""What the Functions listener does with one message.

The host gives a message at least once. So the work is done first, and then a blob remembers the
event. If the function ends in between, the work is done again: it must bear that.
"""

import hashlib
import logging
import os
from functools import cache
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient
from manifest import Advice, advice, key, read, summary


class MemoryUnusable(Exception):
    """The container that remembers events cannot be used. The text says what to do."""


@cache
def handled() -> ContainerClient:
    """The container that remembers events, at HANDLED_CONTAINER_URL; in storage of your own.

    It is tried before any work is done: without it, the work would be done again in each try.

    Raises:
        MemoryUnusable: the container does not exist, refuses access or does not answer.

    """
    url = os.environ["HANDLED_CONTAINER_URL"]
    return usable(ContainerClient.from_container_url(url, credential=DefaultAzureCredential()))


def usable(container: ContainerClient) -> ContainerClient:
    """The container, after a request to it."""
    try:
        container.get_container_properties()
    except AzureError as error:
        seen = getattr(error, "status_code", None) or type(error).__name__
        raise MemoryUnusable(
            f"the container {container.container_name!r} of HANDLED_CONTAINER_URL cannot be used "
            f"({seen}): create it, and give this app the role Storage Blob Data Contributor on it"
        ) from None
    return container


def on_manifest(text: str, container: ContainerClient) -> bool:
    """Handle one message; False if its event was handled before.

    Raises:
        ManifestInvalid: it is not a manifest. After five tries the host puts the message on the
            poison queue, where a person looks.

    """
    event = read(text)
    blob = container.get_blob_client(_name(event))
    if blob.exists():
        return False
    handle(event)
    try:
        blob.upload_blob(b"", overwrite=False)
    except ResourceExistsError:
        return False  # another run handled it at the same time
    return True


def handle(event: dict[str, Any]) -> None:
    """Put your own work here."""
    if advice(event) is Advice.ASK:
        logging.error("a person must look: %s", summary(event))  # an alert on this line tells them
    else:
        logging.info("%s", summary(event))


def _name(event: dict[str, Any]) -> str:
    return hashlib.sha256("\n".join(key(event)).encode()).hexdigest()
