"""The message about a written blob, in the form of the Storage extension's internal queue, and the
Event Grid event that it is made from. Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.storage.blob import BlobClient

_CREATED = "Microsoft.Storage.BlobCreated"


@dataclass(frozen=True, slots=True)
class BlobMessage:
    """One write of one blob, for one function."""

    function_id: str
    """`Host.Functions.<name>`."""
    container: str
    blob: str
    etag: str
    blob_type: str = "BlockBlob"

    def to_json(self) -> str:
        """The JSON for the queue."""
        return json.dumps(
            {
                "Type": "BlobTrigger",
                "FunctionId": self.function_id,
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
            values["FunctionId"],
            values["ContainerName"],
            values["BlobName"],
            values["ETag"],
            values["BlobType"],
        )


def message_of_event(event: Mapping[str, Any], function_id: str) -> BlobMessage | None:
    """The message for an event of Event Grid's storage schema; None if the event is not a write.

    Like the extension, this function reads container and name from `data.url`. It does not compare
    the path with the trigger, because the subscription has a filter for that.

    Raises:
        ValueError: the event does not name a blob.

    """
    if event.get("eventType", _CREATED) != _CREATED:
        return None
    data = event.get("data")
    url = data.get("url") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(url, str) or not urlsplit(url).netloc:
        raise ValueError("an event without data.url")
    with BlobClient.from_blob_url(url) as blob:
        return BlobMessage(
            function_id,
            str(blob.container_name),
            str(blob.blob_name),
            str(data.get("eTag", "")),
            str(data.get("blobType", "BlockBlob")),
        )
