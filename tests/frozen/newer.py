"""A newer version of the app: the same code, with a new member in everything that it writes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from gem_core.flows.checker import Batches, Checker
from gem_core.flows.deliverer import Deliverer, ManifestQueue
from gem_core.storage.documents import Document, Documents, Listed, Page
from gem_core.watch.batch import Batch
from tests.builders import World

ADDED = {"addedLater": {"by": "a newer version", "list": [1, None]}}
"""A member, as a newer version may add to any document."""
METADATA = {"added": "later"}


def with_member(text: str | bytes) -> bytes:
    """A JSON object with one member more; anything else as it is."""
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        return text.encode() if isinstance(text, str) else text
    return json.dumps(held | ADDED).encode()


class NewerDocuments:
    """A container as a newer version writes it. Keeps the promises of `Documents`."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def get(self, name: str) -> Document | None:
        return self._documents.get(name)

    def etag(self, name: str) -> str | None:
        return self._documents.etag(name)

    def create(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        return self._documents.create(name, with_member(body), metadata=_more(metadata))

    def replace(
        self, name: str, body: bytes, *, etag: str, metadata: Mapping[str, str] | None = None
    ) -> str:
        body = with_member(body)
        return self._documents.replace(name, body, etag=etag, metadata=_more(metadata))

    def put(self, name: str, body: bytes, *, metadata: Mapping[str, str] | None = None) -> str:
        return self._documents.put(name, with_member(body), metadata=_more(metadata))

    def append(self, name: str, body: bytes) -> None:
        self._documents.append(name, with_member(body) + b"\n")

    def delete(self, name: str, *, etag: str | None = None) -> None:
        self._documents.delete(name, etag=etag)

    def url(self, name: str) -> str:
        return self._documents.url(name)

    def page(self, *, prefix: str = "", size: int = 100, after: str | None = None) -> Page:
        return self._documents.page(prefix=prefix, size=size, after=after)

    def every(self, *, prefix: str = "") -> Iterator[Listed]:
        return self._documents.every(prefix=prefix)


def _more(metadata: Mapping[str, str] | None) -> dict[str, str]:
    return {**(metadata or {}), **METADATA}


@dataclass(frozen=True)
class NewerBatch(Batch):
    """A batch whose message has a member more."""

    def to_json(self) -> str:
        return with_member(super().to_json()).decode()


@dataclass(frozen=True, slots=True)
class NewerBatches:
    """The queue of batches as a newer version sends to it."""

    batches: Batches

    def waiting(self) -> int:
        return self.batches.waiting()

    def send(self, batch: Batch, *, hidden_for: timedelta, expires_after: timedelta) -> None:
        self.batches.send(
            NewerBatch(batch.until, batch.jobs), hidden_for=hidden_for, expires_after=expires_after
        )


@dataclass(frozen=True, slots=True)
class NewerQueue:
    """The results queue as a newer version sends to it: the event as it is stored."""

    queue: ManifestQueue
    outbox: Documents

    def send(self, body: str) -> None:
        event = json.loads(body)
        stored = self.outbox.get(f"{event['data']['jobRunId']}/{event['id']}.json")
        assert stored, "an event is stored before it is sent"
        self.queue.send(stored.body.decode())


class NewerWorld(World):
    """A world where the app is a newer version."""

    @classmethod
    def of(cls, world: World) -> "NewerWorld":
        """The same stores, queues, clock and GEM."""
        made = cls()
        vars(made).update(vars(world))
        return made

    def _watched(self, documents: Documents, name: str) -> Documents:
        return NewerDocuments(super()._watched(documents, name))

    @property
    def checker(self) -> Checker:
        checker = super().checker
        batches = NewerBatches(checker.batches) if checker.batches else None
        return replace(checker, batches=batches)

    @property
    def deliverer(self) -> Deliverer:
        deliverer = super().deliverer
        queues = {
            name: NewerQueue(queue, self.manifests) for name, queue in deliverer.queues.items()
        }
        return replace(deliverer, queues=queues)


_: type[Documents] = NewerDocuments
