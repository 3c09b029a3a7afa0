"""The message about a written blob, in the form of the Storage extension's internal queue, and the
Event Grid event that it is made from. Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.storage.blob import BlobClient

_BLOB_TYPES = {"BlockBlob", "PageBlob", "AppendBlob"}


@dataclass(frozen=True, slots=True)
class BlobMessage:
    """One write of one blob, for one function."""

    function_id: str
    """`Host.Functions.<name>`; empty when the webhook was called without a function."""
    container: str
    blob: str
    etag: str
    blob_type: str = "BlockBlob"

    def to_json(self) -> str:
        """The JSON for the queue."""
        return json.dumps(
            {
                "Type": "BlobTrigger",
                "FunctionId": self.function_id or None,
                "BlobType": self.blob_type,
                "ContainerName": self.container,
                "BlobName": self.blob,
                "ETag": self.etag,
            }
        )

    @classmethod
    def parse(cls, text: str) -> "BlobMessage":
        """Read the JSON of the queue. Raises ValueError, KeyError or TypeError if it is invalid."""
        values = json.loads(text)
        return cls(
            values["FunctionId"] or "",
            values["ContainerName"],
            values["BlobName"],
            values["ETag"],
            values["BlobType"],
        )


def message_of_event(event: Any, function_id: str) -> BlobMessage:  # noqa: ANN401 - foreign JSON
    """The message for an event. Its type is not read; its path is not compared with the trigger.

    Raises:
        ValueError: the event has no address or no type of a blob.

    """
    data = event.get("data") if isinstance(event, Mapping) else None
    url = data.get("url") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(url, str) or not urlsplit(url).netloc:
        raise ValueError("an event without data.url")
    if data.get("blobType") not in _BLOB_TYPES:
        raise ValueError("an event without a known data.blobType")
    with BlobClient.from_blob_url(url) as blob:
        return BlobMessage(
            function_id,
            str(blob.container_name),
            str(blob.blob_name),
            str(data.get("eTag", "")),
            data["blobType"],
        )
