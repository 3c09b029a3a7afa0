"""The stores in GEM_STATE: containers and queues, and the objects that use them. Edge."""

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from gem_core.deliver.outbox import Outbox
from gem_core.errors import StoreError
from gem_core.once import Once
from gem_core.settings.app_settings import QueueEncoding
from gem_core.settings.connection import Connection
from gem_core.storage.clients import Retries, blob_service, queue_service, storage_clock
from gem_core.storage.names import (
    BATCHES,
    FAILURES,
    JOBS,
    OUTBOX,
    POISON_QUEUES,
    REPORTS,
    TICKETS,
    WORKLIST,
)
from gem_core.watch.heartbeat import STARTED, Heartbeat
from gem_core.watch.registry import JobRegistry
from gem_core.wiring.environment import state_settings

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

    from gem_core.deliver.poison_queue import PoisonQueue
    from gem_core.deliver.results_queue import ResultsQueue
    from gem_core.storage.blob_documents import BlobDocuments
    from gem_core.watch.batch_queue import BatchQueue


class Stores:
    """The stores of one connection. Each is built at its first use."""

    def __init__(self, state: Connection, retries: Retries = Retries.BACKGROUND) -> None:
        self._state = state
        self._retries = retries

    def now(self) -> datetime:
        """The time, see `StorageClock`. Raises StoreError if storage has never answered."""
        clock = storage_clock(self._state)
        if not clock.is_set:
            try:
                self.documents(WORKLIST).etag(STARTED)
            except StoreError:
                if not clock.is_set:
                    raise
        return clock()

    def documents(self, container: str) -> "BlobDocuments":
        """The documents of a container."""
        from gem_core.storage.blob_documents import BlobDocuments

        service = blob_service(self._state, self._state.blob_service_uri or "", self._retries)
        return BlobDocuments(service.get_container_client(container))

    @cached_property
    def registry(self) -> JobRegistry:
        """The registered jobs."""
        return JobRegistry(
            jobs=self.documents(JOBS),
            worklist=self.documents(WORKLIST),
            tickets=self.documents(TICKETS),
        )

    @cached_property
    def heartbeat(self) -> Heartbeat:
        """The record of the last tick."""
        return Heartbeat(self.documents(WORKLIST))

    @cached_property
    def outbox(self) -> Outbox:
        """Stored events and reports."""
        return Outbox(
            events=self.documents(OUTBOX),
            reports=self.documents(REPORTS),
            failures=self.documents(FAILURES),
        )

    def queue(self, name: str, *, base64: bool = False) -> "QueueClient":
        """The client of a queue. With `base64`, messages are encoded for Functions triggers."""
        from azure.storage.queue import TextBase64EncodePolicy

        return queue_service(self._state, self._retries).get_queue_client(
            name, message_encode_policy=TextBase64EncodePolicy() if base64 else None
        )

    def results_queue(self, name: str, encoding: QueueEncoding) -> "ResultsQueue":
        """A queue of manifests."""
        from gem_core.deliver.results_queue import ResultsQueue

        return ResultsQueue(self.queue(name, base64=encoding is QueueEncoding.BASE64))

    def batch_queue(self) -> "BatchQueue":
        """The queue of batches of due jobs."""
        from gem_core.watch.batch_queue import BatchQueue

        return BatchQueue(self.queue(BATCHES, base64=True))

    def poison_queues(self) -> "tuple[PoisonQueue, ...]":
        """The queues of messages that failed too often."""
        from gem_core.deliver.poison_queue import PoisonQueue

        return tuple(PoisonQueue(self.queue(name)) for name in POISON_QUEUES)


@Once
def stores() -> Stores:
    """The stores of the settings. Raises SettingsError."""
    return Stores(state_settings().state)
