"""Detects written blobs by listing their container, as Event Grid does it in Azure. Edge.

The list of seen blobs is stored in host storage, so a restart neither misses nor repeats a blob. A
message is sent before its blob is added to the list, so it is sent at least once.
"""

import json
import logging
import threading
import time
from collections.abc import Callable

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobClient, ContainerClient

from devkit.runner.blob_message import BlobMessage
from devkit.runner.blob_path import BlobPath

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 0.25


class BlobWatch:
    """Watches one trigger's blobs until `stop` is set."""

    def __init__(
        self,
        function_id: str,
        path: BlobPath,
        *,
        container: ContainerClient,
        seen_blob: BlobClient,
        post: Callable[[BlobMessage], None],
        stop: threading.Event,
    ) -> None:
        self._function_id = function_id
        self._path = path
        self._container = container
        self._seen_blob = seen_blob
        self._post = post
        self._stop = stop

    def run(self) -> None:
        """List the container in a loop. Blocks until `stop`."""
        seen: dict[str, str] | None = None
        pause = 0.0
        while not self._stop.wait(pause):
            started = time.monotonic()
            try:
                seen = self._post_new(self._load() if seen is None else seen)
            except ResourceNotFoundError:
                seen = None  # nobody has made the container yet; the host does not
            except AzureError as error:
                logger.warning("%s cannot be listed: %s", self._path.container, error)
            # The pause is at least as long as the listing, so a large container is not listed
            # all the time.
            pause = max(_EVERY_SECONDS, time.monotonic() - started)

    def _post_new(self, seen: dict[str, str]) -> dict[str, str]:
        """Send a message for each new name or ETag. Returns all ETags by name."""
        now: dict[str, str] = {}
        for blob in self._container.list_blobs(name_starts_with=self._path.prefix):
            if self._path.match(blob.name) is None:
                continue
            now[blob.name] = blob.etag
            if seen.get(blob.name) != blob.etag:
                kind = getattr(blob.blob_type, "value", "BlockBlob")
                self._post(
                    BlobMessage(self._function_id, self._path.container, blob.name, blob.etag, kind)
                )
        if now != seen:
            self._seen_blob.upload_blob(json.dumps(now), overwrite=True)
        return now

    def _load(self) -> dict[str, str]:
        try:
            content = json.loads(self._seen_blob.download_blob().readall())
        except (ResourceNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}
