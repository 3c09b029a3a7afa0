"""Records one run of a host: of `apps/callback` in the runner, or of the host's own extensions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueServiceClient

from tests.devkit.beside import messages, parallel, webhook
from tests.devkit.beside.callback import Callback


@dataclass(frozen=True, slots=True)
class Storage:
    """The stores of one run. The names of container and queue end with the id of the host."""

    blobs: BlobServiceClient
    queues: QueueServiceClient
    host_id: str

    @classmethod
    @contextmanager
    def of(cls, connection_string: str, host_id: str) -> Iterator[Self]:
        """The stores of an account."""
        with (
            BlobServiceClient.from_connection_string(connection_string) as blobs,
            QueueServiceClient.from_connection_string(connection_string) as queues,
        ):
            yield cls(blobs, queues, host_id)

    @property
    def inbox(self) -> ContainerClient:
        """The container of the blob trigger."""
        return self.blobs.get_container_client(f"inbox-{self.host_id}")

    @property
    def queue(self) -> str:
        """The name of the queue trigger's queue."""
        return f"queue-{self.host_id}"

    def prepare(self) -> None:
        """Make the stores and what waits in them when the host starts."""
        self.inbox.create_container()
        internal = f"azure-webjobs-blobtrigger-{self.host_id}"
        for name in (self.queue, internal):
            self.queues.create_queue(name)
        parallel.prepare(self.inbox, self.queues.get_queue_client(internal))
        messages.prepare(self.queues.get_queue_client(self.queue))

    def record(
        self,
        url: str,
        key: str,
        calls: Callback,
        *,
        quiet_seconds: float,
        expected: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What a host does that was started after `prepare`. The last request ends it.

        Args:
            url: of the host.
            key: of its webhook.
            calls: of its functions.
            quiet_seconds: longer than the pause between two looks of the host at a queue.
            expected: what is waited for, each time for at most two minutes; None for nothing.

        """

        def settled[T](look: Callable[[], T], part: str) -> T:
            calls.settle(quiet_seconds, lambda: not expected or look() == expected[part])
            return look()

        running = parallel.record(calls, quiet_seconds, expected and expected["parallel"])
        queued = settled(partial(messages.record, self.queues, self.queue, calls), "messages")
        answers = webhook.send_all(url, key, self.inbox)
        runs = settled(partial(webhook.runs, calls), "runs")
        for name, blobs in runs.items():
            answers[name]["runs"] = blobs
        answers[webhook.LAST.name] = webhook.send(webhook.LAST, url, key, self.inbox)
        return {"parallel": running, "messages": queued, "webhook": answers}
