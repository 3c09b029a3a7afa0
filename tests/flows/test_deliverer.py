"""One contract for output storage and queue, kept by the fakes and by the real edges."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from devkit.azurite import Azurite
from gem_core.audit.reading.output_files import OutputFiles
from gem_core.deliver.results_queue import ResultsQueue
from gem_core.errors import OutputChanged, OutputMissing
from gem_core.flows.deliverer import Files, ManifestQueue
from tests.fakes import FakeFiles, FakeQueue


@dataclass(frozen=True, slots=True)
class Storage:
    """An output storage, and what GEM does there."""

    files: Files
    write: Callable[[str, bytes], object]
    delete: Callable[[str], object]


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
def storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    if request.param == "fake":
        files = FakeFiles()
        yield Storage(files, files.write, files.held.pop)
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.create_container(f"c{uuid.uuid4().hex}")
        yield Storage(
            OutputFiles("", container.container_name, lambda _, __: container),
            lambda name, body: container.upload_blob(name, body, overwrite=True),
            container.delete_blob,
        )


def test_an_output_is_read_as_it_was_written(storage: Storage) -> None:
    storage.write("a.parquet", b"0123456789")
    source = storage.files.open("storage-001", "a.parquet")
    assert (source.name, source.size_bytes) == ("a.parquet", 10)
    assert source.read(2, 3) == b"234"
    assert source.etag == storage.files.open("storage-001", "a.parquet").etag


def test_an_output_that_is_not_there_is_missing(storage: Storage) -> None:
    with pytest.raises(OutputMissing):
        storage.files.open("storage-001", "a.parquet")


@pytest.mark.parametrize("body", [b"9876543210", b"0123456789"], ids=["other", "same"])
def test_a_version_is_never_read_once_it_was_overwritten(storage: Storage, body: bytes) -> None:
    storage.write("a.parquet", b"0123456789")
    old = storage.files.open("storage-001", "a.parquet")
    old.read(0, 5)
    storage.write("a.parquet", body)
    with pytest.raises(OutputChanged):
        old.read(5, 5)
    new = storage.files.open("storage-001", "a.parquet")
    assert new.etag != old.etag
    assert new.read(0, 10) == body


def test_a_version_that_was_deleted_has_changed(storage: Storage) -> None:
    storage.write("a.parquet", b"0123456789")
    source = storage.files.open("storage-001", "a.parquet")
    storage.delete("a.parquet")
    with pytest.raises(OutputChanged):
        source.read(0, 5)


@dataclass(frozen=True, slots=True)
class Results:
    """A results queue, and what a listener finds on it."""

    queue: ManifestQueue
    bodies: Callable[[], list[str]]


@pytest.fixture(params=["fake", pytest.param("azurite", marks=pytest.mark.azurite)])
def results(request: pytest.FixtureRequest) -> Iterator[Results]:
    if request.param == "fake":
        fake = FakeQueue()
        yield Results(fake, lambda: fake.sent)
        return
    azurite: Azurite = request.getfixturevalue("azurite")
    name = f"q{uuid.uuid4().hex}"
    with QueueClient.from_connection_string(azurite.connection_string, name) as client:
        client.create_queue()
        yield Results(
            ResultsQueue(client),
            lambda: [message.content for message in client.receive_messages()],
        )


def test_every_message_that_was_sent_is_there_repeats_too(results: Results) -> None:
    for body in ("one", "two", "one"):
        results.queue.send(body)
    assert sorted(results.bodies()) == ["one", "one", "two"]
