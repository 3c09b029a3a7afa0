"""Event Grid as it may behave: drops events, repeats them in parallel, and tries again later."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from types import TracebackType
from typing import Protocol, Self

import requests
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient

from gem_core.storage.names import TICKETS

REPEATS = 5
_LOOK_SECONDS = 0.1


class Webhook(Protocol):
    """The webhook of a host, such as a `Runner`."""

    @property
    def url(self) -> str:
        """The address of the host."""
        ...

    @property
    def master_key(self) -> str:
        """The key of the webhook."""
        ...


type Copies = Callable[[str, int], int]
"""From a job and the number of its event (from 0): how often that event is delivered."""


def post_event(runner: Webhook, blob_uri: str, ticket: str, etag: str = "0x1") -> int:
    """One event about a written ticket, as the subscription posts it; the webhook's status."""
    event = {
        "id": f"{ticket}-{etag}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "subject": f"/blobServices/default/containers/{TICKETS}/blobs/{ticket}",
        "data": {
            "url": f"{blob_uri}/{TICKETS}/{ticket}",
            "eTag": etag,
            "blobType": "BlockBlob",
        },
        "eventTime": "2026-11-23T10:00:00Z",
    }
    return requests.post(
        f"{runner.url}/runtime/webhooks/blobs",
        params={"functionName": "Host.Functions.deliver_results", "code": runner.master_key},
        headers={"aeg-event-type": "Notification"},
        json=[event],
        timeout=60,
    ).status_code


class EventBus:
    """Sees each ticket that is written, and delivers its event as often as `copies` says.

    An event that the app does not take (it is being killed, or restarted) is delivered again later,
    as Event Grid does; one of no copies is lost for good.
    """

    def __init__(self, runner: Webhook, storage: str, blob_uri: str, copies: Copies) -> None:
        self._runner = runner
        self._storage = storage
        self._blob_uri = blob_uri
        self._copies = copies
        self._seen: dict[str, str] = {}
        self._written: dict[str, int] = {}
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._pool = ThreadPoolExecutor(REPEATS)
        self.dropped = 0
        self.repeated = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        pending: list[tuple[str, str]] = []
        with BlobServiceClient.from_connection_string(self._storage, retry_total=0) as blobs:
            tickets = blobs.get_container_client(TICKETS)
            while not self._stop.wait(_LOOK_SECONDS):
                try:
                    written = {blob.name: blob.etag for blob in tickets.list_blobs()}
                except AzureError:  # storage is being restarted
                    continue
                for name, etag in written.items():
                    if self._seen.get(name) != etag:
                        self._seen[name] = etag
                        pending += [(name, etag)] * self._number(name.removesuffix(".json"))
                taken = list(self._pool.map(self._post, pending))
                pending = [one for one, was in zip(pending, taken, strict=True) if not was]

    def _number(self, job_run_id: str) -> int:
        number = self._written.get(job_run_id, 0)
        self._written[job_run_id] = number + 1
        copies = self._copies(job_run_id, number)
        self.dropped += copies == 0
        self.repeated += copies > 1
        return copies

    def _post(self, ticket: tuple[str, str]) -> bool:
        try:
            return post_event(self._runner, self._blob_uri, *ticket) < 300
        except requests.RequestException:
            return False
