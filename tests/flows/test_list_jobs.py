"""A listing that cannot continue at the requested place is a client error, not a storage error."""

from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient

from gem_core.errors import PageUnknown, RequestError, StoreError
from gem_core.flows.list_jobs import list_jobs
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.watch.registry import JobRegistry
from tests.builders import World
from tests.fakes import MemoryDocuments
from tests.gem.server import Reply, ScriptedServer

REFUSAL = Reply(400, headers={"x-ms-error-code": "InvalidQueryParameterValue"})
"""The answer of Azure Storage to a marker that it did not create. Azurite accepts any marker."""


@pytest.fixture
def documents() -> Iterator[BlobDocuments]:
    with (
        ScriptedServer(REFUSAL) as server,
        ContainerClient.from_container_url(f"{server.url}/jobs?sv=1&sig=a", retry_total=0) as jobs,
    ):
        yield BlobDocuments(jobs)


def test_an_unknown_page_is_an_error_of_its_own(documents: BlobDocuments) -> None:
    with pytest.raises(PageUnknown):
        documents.page(after="2!8!bm8")


def test_a_refused_first_page_is_a_storage_error(documents: BlobDocuments) -> None:
    with pytest.raises(StoreError) as caught:
        documents.page()
    assert not isinstance(caught.value, PageUnknown)


def test_an_unknown_page_is_a_request_error(documents: BlobDocuments) -> None:
    world = World()
    memory = MemoryDocuments()
    manager = world.manager
    object.__setattr__(
        manager, "registry", JobRegistry(jobs=documents, worklist=memory, tickets=memory)
    )
    with pytest.raises(RequestError, match="nextPage"):
        list_jobs(manager, {"after": "2!8!bm8"})


@pytest.mark.parametrize("after", ["\0", "ä", "a\nb", "x" * 3000])
def test_an_impossible_page_causes_no_request_to_storage(after: str) -> None:
    with pytest.raises(RequestError, match="nextPage"):
        list_jobs(World().manager, {"after": after})
