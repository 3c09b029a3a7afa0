"""One contract, kept by the fake and by blob storage; and what only real storage can refuse."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from devkit.azurite import ACCOUNT, Azurite
from gem_core.errors import (
    DocumentArchived,
    RecordConflict,
    RecordMissing,
    StoreError,
    StoreMissing,
    StoreRefused,
)
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.documents import Documents
from tests.fakes import MemoryDocuments
from tests.gem.server import Reply, ScriptedServer

type Make = Callable[[], Documents]


@pytest.fixture(scope="module")
def blobs(azurite: Azurite) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service


@pytest.fixture(params=["memory", pytest.param("blob", marks=pytest.mark.azurite)])
def documents(request: pytest.FixtureRequest) -> Documents:
    if request.param == "memory":
        return MemoryDocuments(lambda: datetime.now(UTC))
    service: BlobServiceClient = request.getfixturevalue("blobs")
    return BlobDocuments(service.create_container(f"c{uuid.uuid4().hex}"))


def test_what_was_created_is_got(documents: Documents) -> None:
    etag = documents.create("a.json", b"one")
    held = documents.get("a.json")
    assert held
    assert (held.name, held.body, held.etag) == ("a.json", b"one", etag)


def test_an_empty_document_is_one(documents: Documents) -> None:
    documents.put("a", b"")
    held = documents.get("a")
    assert held
    assert held.body == b""


def test_what_is_archived_is_neither_read_nor_written_and_can_be_deleted(
    documents: Documents,
) -> None:
    etag = documents.put("a.json", b"one")
    archive(documents, "a.json")
    with pytest.raises(DocumentArchived, match="archive tier"):
        documents.get("a.json")
    with pytest.raises(DocumentArchived, match="archive tier"):
        documents.put("a.json", b"two")
    with pytest.raises(DocumentArchived, match="archive tier"):
        documents.replace("a.json", b"two", etag=etag)
    assert documents.etag("a.json") == etag
    assert [item.name for item in documents.every()] == ["a.json"]
    documents.delete("a.json", etag=etag)
    documents.create("a.json", b"new")


def archive(documents: Documents, name: str) -> None:
    """What a rule of the storage account does with what is old."""
    if isinstance(documents, MemoryDocuments):
        documents.archived.add(name)
    else:
        assert isinstance(documents, BlobDocuments)
        blob = documents._container.get_blob_client(name)
        blob.set_standard_blob_tier("Archive")


def test_an_absent_document_gives_none(documents: Documents) -> None:
    assert documents.get("a.json") is None
    assert documents.etag("a.json") is None


@pytest.mark.parametrize("body", [b"", b"some"])
def test_the_etag_is_that_of_the_newest_version(documents: Documents, body: bytes) -> None:
    assert documents.etag("a.json") != documents.create("a.json", body)
    assert documents.put("a.json", body) == documents.etag("a.json")


def test_every_write_changes_the_etag(documents: Documents) -> None:
    first = documents.create("a", b"same")
    second = documents.replace("a", b"same", etag=first)
    third = documents.put("a", b"same")
    assert len({first, second, third}) == 3
    held = documents.get("a")
    assert held
    assert held.etag == third


def test_only_the_first_create_stands(documents: Documents) -> None:
    documents.create("a", b"first")
    with pytest.raises(RecordConflict):
        documents.create("a", b"second")
    held = documents.get("a")
    assert held
    assert held.body == b"first"


def test_a_replace_of_an_older_version_is_refused(documents: Documents) -> None:
    old = documents.create("a", b"one")
    documents.put("a", b"two")
    with pytest.raises(RecordConflict):
        documents.replace("a", b"three", etag=old)
    held = documents.get("a")
    assert held
    assert held.body == b"two"


def test_a_replace_of_what_was_deleted_is_refused(documents: Documents) -> None:
    old = documents.create("a", b"one")
    documents.delete("a")
    with pytest.raises(RecordConflict):
        documents.replace("a", b"two", etag=old)
    assert documents.get("a") is None


def test_an_etag_from_a_get_can_be_replaced(documents: Documents) -> None:
    documents.create("a", b"one")
    held = documents.get("a")
    assert held
    documents.replace("a", b"two", etag=held.etag)


def test_a_log_is_created_and_grows(documents: Documents) -> None:
    for line in (b"one\n", b"two\n"):
        documents.append("a.jsonl", line)
    held = documents.get("a.jsonl")
    assert held
    assert held.body == b"one\ntwo\n"


def test_deleting_nothing_is_fine(documents: Documents) -> None:
    documents.delete("a")
    documents.put("a", b"")
    documents.delete("a")
    documents.delete("a")
    assert documents.get("a") is None


def test_only_the_version_that_is_named_is_deleted(documents: Documents) -> None:
    old = documents.create("a", b"one")
    new = documents.put("a", b"two")
    with pytest.raises(RecordConflict):
        documents.delete("a", etag=old)
    held = documents.get("a")
    assert held
    assert held.body == b"two"
    documents.delete("a", etag=new)
    assert documents.get("a") is None


def test_deleting_a_version_that_is_gone_is_a_conflict(documents: Documents) -> None:
    etag = documents.create("a", b"")
    documents.delete("a")
    with pytest.raises(RecordConflict):
        documents.delete("a", etag=etag)


def test_an_etag_of_a_listing_is_that_of_the_document(documents: Documents) -> None:
    etag = documents.create("a", b"one")
    (listed,) = documents.every()
    assert listed.etag == etag
    documents.delete("a", etag=listed.etag)
    assert list(documents.every()) == []


def test_a_listing_is_by_name_with_metadata_and_time(documents: Documents) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # storage keeps whole seconds
    documents.create("b", b"", metadata={"due": "1", "Stage": "x"})
    documents.put("a", b"", metadata={"due": "2"})
    documents.put("c", b"")
    items = list(documents.every())
    assert [item.name for item in items] == ["a", "b", "c"]
    assert [dict(item.metadata) for item in items] == [{"due": "2"}, {"due": "1", "Stage": "x"}, {}]
    after = datetime.now(UTC) + timedelta(seconds=2)
    assert all(before <= item.last_modified <= after for item in items)


def test_each_write_replaces_the_metadata(documents: Documents) -> None:
    etag = documents.create("a", b"", metadata={"stage": "watching", "old": "1"})
    documents.replace("a", b"", etag=etag, metadata={"stage": "settled"})
    assert [dict(item.metadata) for item in documents.every()] == [{"stage": "settled"}]
    documents.put("a", b"")
    assert [dict(item.metadata) for item in documents.every()] == [{}]


def test_a_prefix_picks_names(documents: Documents) -> None:
    for name in ("jobs/1", "jobs/2", "tick.json"):
        documents.put(name, b"")
    assert [item.name for item in documents.every(prefix="jobs/")] == ["jobs/1", "jobs/2"]
    assert [item.name for item in documents.page(prefix="t").items] == ["tick.json"]


def test_pages_follow_each_other_without_gap_or_repeat(documents: Documents) -> None:
    names = [f"job-{number:02}" for number in range(7)]
    for name in names:
        documents.put(name, b"")
    seen: list[str] = []
    after = None
    sizes = []
    while True:
        page = documents.page(size=3, after=after)
        seen += [item.name for item in page.items]
        sizes.append(len(page.items))
        after = page.next_page
        if after is None:
            break
    assert seen == names
    assert sizes == [3, 3, 1]


def test_an_empty_container_is_one_empty_page(documents: Documents) -> None:
    page = documents.page()
    assert page.items == ()
    assert page.next_page is None
    assert list(documents.every()) == []


_CALLS: dict[str, Callable[[Documents], object]] = {
    "get": lambda documents: documents.get("a"),
    "etag": lambda documents: documents.etag("a"),
    "create": lambda documents: documents.create("a", b""),
    "put": lambda documents: documents.put("a", b""),
    "replace": lambda documents: documents.replace("a", b"", etag="0x1"),
    "delete": lambda documents: documents.delete("a"),
    "page": lambda documents: documents.page(),
    "every": lambda documents: list(documents.every()),
}


@pytest.mark.parametrize("call", _CALLS.values(), ids=list(_CALLS))
def test_a_missing_container_is_named(
    blobs: BlobServiceClient, call: Callable[[Documents], object]
) -> None:
    name = f"c{uuid.uuid4().hex}"
    with pytest.raises(StoreMissing, match=rf"'{name}' does not exist in GEM_STATE"):
        call(BlobDocuments(blobs.get_container_client(name)))


@pytest.mark.parametrize("call", _CALLS.values(), ids=list(_CALLS))
def test_a_wrong_key_is_refused_and_not_shown(
    azurite: Azurite, call: Callable[[Documents], object]
) -> None:
    key = "d3Jvbmcta2V5LXdyb25nLWtleQ=="
    credential = {"account_name": ACCOUNT, "account_key": key}
    with ContainerClient(azurite.blob_uri, "any", credential=credential) as container:
        with pytest.raises(StoreRefused, match="container 'any': storage refused") as caught:
            call(BlobDocuments(container))
        assert key not in str(caught.value)


def test_a_blob_that_somebody_has_leased_is_no_lost_race(blobs: BlobServiceClient) -> None:
    """Whoever loses a race reads again and goes on; against a lease that would never end."""
    container = blobs.create_container(f"c{uuid.uuid4().hex}")
    documents = BlobDocuments(container)
    etag = documents.create("a", b"one")
    container.get_blob_client("a").acquire_lease()
    with pytest.raises(StoreError, match="LeaseIdMissing") as caught:
        documents.replace("a", b"two", etag=etag)
    assert not isinstance(caught.value, RecordConflict)


@pytest.mark.parametrize(
    ("status", "code", "meant"),
    [
        (409, "BlobAlreadyExists", RecordConflict),
        (409, "ContainerBeingDeleted", StoreMissing),
        (409, "BlobImmutableDueToPolicy", StoreError),
        (412, "ConditionNotMet", RecordConflict),
        (412, "LeaseIdMissing", StoreError),
        (404, "BlobNotFound", RecordMissing),
    ],
)
def test_only_another_writer_is_a_conflict(status: int, code: str, meant: type[StoreError]) -> None:
    key = {"account_name": "a", "account_key": "aa=="}
    reply = Reply(status, headers={"x-ms-error-code": code})
    with (
        ScriptedServer(reply) as server,
        ContainerClient(f"{server.url}/a", "any", credential=key) as container,
    ):
        documents = BlobDocuments(container)
        for write in (
            lambda: documents.create("a", b""),
            lambda: documents.replace("a", b"", etag="0x1"),
            lambda: documents.delete("a", etag="0x1"),
        ):
            with pytest.raises(StoreError) as caught:
                write()
            assert type(caught.value) is meant


def test_a_document_that_changes_while_it_is_read_is_not_taken_for_none() -> None:
    """The SDK reads a long one in pieces, and names the version from the second one on."""
    key = {"account_name": "a", "account_key": "aa=="}
    reply = Reply(412, headers={"x-ms-error-code": "ConditionNotMet"})
    with (
        ScriptedServer(reply) as server,
        ContainerClient(f"{server.url}/a", "any", credential=key) as container,
        pytest.raises(RecordConflict),
    ):
        BlobDocuments(container).get("a")


def test_no_answer_is_a_store_error() -> None:
    key = {"account_name": "a", "account_key": "aa=="}
    container = ContainerClient("http://127.0.0.1:1/a", "any", credential=key, retry_total=0)
    with container, pytest.raises(StoreError, match="no answer from storage"):
        BlobDocuments(container).get("a")


def test_an_address_shows_no_signature() -> None:
    container = ContainerClient("https://a.example", "box", credential="sig=topsecret&se=2030")
    with container:
        url = BlobDocuments(container).url("a b/é.json")
    assert url == "https://a.example/box/a%20b/%C3%A9.json"


def test_a_listing_goes_beyond_one_page_of_the_service(
    blobs: BlobServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gem_core.storage.blob_documents._LISTING_PAGE", 2)
    documents = BlobDocuments(blobs.create_container(f"c{uuid.uuid4().hex}"))
    names = [f"jobs/{number}" for number in range(5)]
    for name in names:
        documents.put(name, json.dumps(name).encode())
    assert [item.name for item in documents.every(prefix="jobs/")] == names
