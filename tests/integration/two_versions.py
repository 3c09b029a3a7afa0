"""Two versions of the app over the same stores, queues, GEM and clock: for test_upgrade."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from devkit.azurite import Azurite
from gem_core.errors import StoreError
from gem_core.flows.check_batch import check_batch
from gem_core.flows.check_jobs import check_jobs
from gem_core.flows.checker import Checker
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import Deliverer
from gem_core.flows.manage_jobs import JobManager
from gem_core.settings.route import DEFAULT
from gem_core.storage.documents import Documents
from gem_core.storage.names import JOBS, OUTBOX, TICKETS, WORKLIST
from gem_core.watch.batch import BatchPlan
from gem_core.watch.durations import DurationStore
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.registry import SUFFIX
from gem_core.wiring import delivery, tick
from gem_core.wiring.environment import state_settings
from gem_core.wiring.managers import job_manager
from gem_core.wiring.stores import Stores
from tests.fakes import FakeClock, FakeGem, Killed
from tests.frozen.newer import NewerBatches, NewerDocuments, NewerQueue

PLAN = BatchPlan(size=25, concurrency=10)
"""Of the batches that a tick sends; all are visible at once."""


@dataclass
class Site:
    """What both versions share: stores, queues, GEM, clock."""

    azurite: Azurite
    gem: FakeGem = field(default_factory=FakeGem)
    clock: FakeClock = field(default_factory=lambda: FakeClock(datetime.now(UTC)))
    seen: dict[str, str] = field(default_factory=dict)

    def container(self, name: str) -> ContainerClient:
        return ContainerClient.from_connection_string(self.azurite.connection_string, name)

    def queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(
            self.azurite.connection_string, name, message_decode_policy=TextBase64DecodePolicy()
        )

    def take(self, queue: str, most: int = 10_000) -> list[str]:
        """Messages of a queue, which are then gone."""
        with self.queue(queue) as client:
            messages = list(
                client.receive_messages(messages_per_page=min(most, 32), max_messages=most)
            )
            for message in messages:
                client.delete_message(message)
        return [message.content for message in messages]

    def tickets(self) -> list[str]:
        """The jobs whose ticket was written since the last call: what the blob trigger sees."""
        with self.container(TICKETS) as tickets:
            now = {blob.name.removesuffix(SUFFIX): blob.etag for blob in tickets.list_blobs()}
        new = [job for job, etag in now.items() if self.seen.get(job) != etag]
        self.seen |= now
        return new

    def records(self) -> dict[str, bytes]:
        with self.container(JOBS) as jobs:
            return {
                blob.name.removesuffix(SUFFIX): jobs.download_blob(blob.name).readall()
                for blob in jobs.list_blobs()
            }

    def names(self, container: str, prefix: str = "") -> list[str]:
        with self.container(container) as client:
            return [blob.name for blob in client.list_blobs(name_starts_with=prefix)]


@dataclass(frozen=True)
class App:
    """One version of the app."""

    checker: Checker
    deliverer: Deliverer
    manager: JobManager

    def tick(self) -> None:
        check_jobs(self.checker)

    def hand_out(self) -> None:
        """A tick that only sends batches."""
        check_jobs(replace(self.checker, plan=PLAN))

    def check(self, messages: Iterable[str]) -> None:
        each(lambda text: check_batch(self.checker, text), messages)

    def deliver(self, jobs: Iterable[str]) -> None:
        each(lambda job: deliver_results(self.deliverer, job), jobs)

    def deliver_in_vain(self, jobs: Iterable[str]) -> None:
        """The process dies before it sends."""
        dying = replace(self.deliverer, queues={DEFAULT: Refusing()})
        each(lambda job: die(lambda: deliver_results(dying, job)), jobs)

    def audit_in_vain(self, jobs: Iterable[str]) -> None:
        """The process dies in the audit."""

        def audit(*_: object, **__: object) -> Any:  # noqa: ANN401 - it never returns
            raise Killed

        dying = replace(self.deliverer, audit=audit)
        each(lambda job: die(lambda: deliver_results(dying, job)), jobs)


class Refusing:
    """A results queue that cannot be reached."""

    def send(self, body: str) -> None:  # noqa: ARG002 - the queue's signature
        raise StoreError("the queue is away")


def die(do: Callable[[], object]) -> None:
    with suppress(Killed, StoreError):
        do()


def each[T](do: Callable[[T], object], things: Iterable[T]) -> None:
    """Do it to all, several at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(do, things))


class NewerStores(Stores):
    """The stores as a newer version writes to them."""

    def documents(self, container: str) -> Documents:  # type: ignore[override] # as it is used
        return NewerDocuments(super().documents(container))


def app(site: Site, *, newer: bool) -> App:
    """A version of the app, by the app's own wiring; nothing waits in real time."""
    settings = state_settings()
    stores = NewerStores(settings.state) if newer else Stores(settings.state)
    batches, deliverer = stores.batch_queue(), delivery.deliverer()
    queue = deliverer.queues[DEFAULT]
    queue = NewerQueue(queue, stores.documents(OUTBOX)) if newer else queue
    return App(
        replace(
            tick.checker(),
            registry=stores.registry,
            heartbeat=stores.heartbeat,
            gem=site.gem,
            limiter=RateLimiter(
                stores.documents(WORKLIST),
                count=PLAN.concurrency,
                per_second=1e9,
                clock=SleepClock(site.clock, lambda _: None),
            ),
            clock=site.clock,
            durations=DurationStore(stores.documents(WORKLIST)),
            batches=NewerBatches(batches) if newer else batches,
        ),
        replace(
            deliverer,
            registry=stores.registry,
            outbox=stores.outbox,
            queues={DEFAULT: queue},
            job_url="https://gem.example/jobs/{}".format,
            clock=site.clock,
        ),
        replace(job_manager(stores, settings), clock=site.clock),
    )
