"""Pages of a listing: filtered, in both orders, each job once.

A place where no listing can continue is an error of the client and not of storage.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.storage.blob import ContainerClient

from gem_core.errors import PageUnknown, RequestError, StoreError
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.list_jobs import list_jobs
from gem_core.flows.manage_jobs import forget_job, register_job
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.watch.registry import JobRegistry
from tests.builders import World, answer
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


def labelled(world: World, name: str, **labels: str) -> None:
    register_job(world.manager, name, {"labels": labels})


def pages_of(world: World, **query: str) -> list[list[str]]:
    """The ids on each page, until the listing ends."""
    found, after = [], ""
    while True:
        page = list_jobs(world.manager, query | {"after": after})
        found.append([job["jobRunId"] for job in page["jobs"]])
        if not (after := page["nextPage"]):
            return found


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("limit", ["1", "2", "3", "4", "100"])
def test_every_page_of_a_filtered_listing_is_full_but_the_last(
    monkeypatch: pytest.MonkeyPatch, size: int, limit: str
) -> None:
    """However the pages of storage lie. Names with a dash come before the same name without it."""
    monkeypatch.setattr("gem_core.flows.list_jobs.MAX_PAGE", size)
    world = World()
    for name in ("a", "a-b", "f"):
        world.settle(answer("failed"), name)
    world.add("a.b", "b", "c", "d", "e", "g", "h")
    world.jobs.put("_doctor/probe", b"")
    pages = pages_of(world, stage="settled", limit=limit)
    assert [name for page in pages for name in page] == ["a-b", "a", "f"]
    assert {len(page) for page in pages[:-1]} <= {int(limit)}
    assert all(pages)


@pytest.mark.parametrize("limit", ["1", "2", "3", "4", "5"])
@pytest.mark.parametrize("sort", ["id", "-changedAt"])
def test_each_job_is_listed_once_and_no_page_is_empty(sort: str, limit: str) -> None:
    world = World()
    for name in ("d", "a", "c"):
        world.add(name)
        world.clock.move(seconds=1)
    world.add("b", "e")  # changed in the same second
    pages = pages_of(world, sort=sort, limit=limit)
    expected = {"id": "abcde", "-changedAt": "ebcad"}
    assert "".join(name for page in pages for name in page) == expected[sort]
    assert all(pages)


@pytest.mark.parametrize("limit", ["1", "2", "3"])
@pytest.mark.parametrize("sort", ["id", "-changedAt"])
def test_jobs_are_found_by_a_label(monkeypatch: pytest.MonkeyPatch, sort: str, limit: str) -> None:
    monkeypatch.setattr("gem_core.flows.list_jobs._READ_TOGETHER", 2)
    world = World()
    for name in ("c", "f", "h"):
        labelled(world, name, team="maps", n=name)
        world.clock.move(seconds=1)
    labelled(world, "d", team="maps:x")
    world.add("a", "b", "e", "g")
    world.jobs.put("z.json", b"not a record")
    pages = pages_of(world, label="team:maps", sort=sort, limit=limit)
    found = [name for page in pages for name in page]
    assert found == {"id": ["c", "f", "h"], "-changedAt": ["h", "f", "c"]}[sort]
    assert all(pages)
    assert pages_of(world, label="team:maps:x") == [["d"]]
    assert pages_of(world, label="team:maps", stage="delivered") == [[]]


def test_filters_read_only_the_records_that_may_match() -> None:
    world = World()
    world.settle(answer("failed"), "b")
    world.add("a", "c")
    world.trap.calls.clear()
    assert pages_of(world, stage="settled", label="x:y") == [[]]
    assert world.trap.calls == ["jobs.page", "jobs.get"]


def test_jobs_are_found_by_their_outcome() -> None:
    world = World()
    world.settle(answer("failed"), "b")
    world.settle(answer("cancelled"), "c")
    for name in "bc":
        deliver_results(world.deliverer, name)
    world.add("a")
    assert pages_of(world, outcome="cancelled") == [["c"]]
    assert pages_of(world, outcome="failed", stage="watching") == [[]]


def bounded(monkeypatch: pytest.MonkeyPatch, bound: str, sort: str) -> World:
    """Twelve jobs, of which the third and the tenth of the listing have a label."""
    monkeypatch.setattr(f"gem_core.flows.list_jobs.{bound}", 3)
    monkeypatch.setattr("gem_core.flows.list_jobs._READ_TOGETHER", 2)
    world = World()
    for name in "abcdefghijkl"[:: 1 if sort == "id" else -1]:
        labelled(world, name, team="maps" if name in "cj" else "other")
        world.clock.move(seconds=1)
    return world


@pytest.mark.parametrize("sort", ["id", "-changedAt"])
@pytest.mark.parametrize("bound", ["MAX_LISTED", "MAX_READ"])
def test_a_long_search_ends_with_a_page_that_has_a_job(
    monkeypatch: pytest.MonkeyPatch, bound: str, sort: str
) -> None:
    """A client that stops at an empty page has missed nothing."""
    world = bounded(monkeypatch, bound, sort)
    assert pages_of(world, label="team:maps", sort=sort) == [["c"], ["j"], []]
    assert pages_of(world, label="team:none", sort=sort) == [[]]


@pytest.mark.parametrize("sort", ["id", "-changedAt"])
def test_a_page_is_empty_when_the_time_of_a_search_is_over(
    monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    """So that the client gets an answer. `nextPage` says where the search goes on."""
    world = bounded(monkeypatch, "MAX_READ", sort)
    monkeypatch.setattr("gem_core.flows.list_jobs.SEARCH_TIME", timedelta())
    pages = pages_of(world, label="team:maps", sort=sort)
    assert [] in pages[:-1]
    assert [name for page in pages for name in page] == ["c", "j"]


def test_a_place_that_an_older_version_gave_is_the_end_of_a_page() -> None:
    world = World()
    world.add("a", "b", "c")
    assert pages_of_after(world, "a.json") == ["b", "c"]


def pages_of_after(world: World, after: str) -> list[str]:
    return [job["jobRunId"] for job in list_jobs(world.manager, {"after": after})["jobs"]]


def test_a_job_that_goes_away_hides_no_other() -> None:
    world = World()
    world.add(*"abcd")
    first = list_jobs(world.manager, {"limit": "2", "stage": "watching"})
    forget_job(world.manager, "b")
    world.add("bb")
    assert pages_of_after(world, first["nextPage"]) == ["bb", "c", "d"]


@pytest.mark.parametrize(
    "query",
    [
        {"outcome": "good"},
        {"label": "team"},
        {"sort": "name"},
        {"sort": "changedAt"},
        {"sort": "-changedAt", "after": "a:"},
    ],
)
def test_an_invalid_word_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(RequestError, match=list(query)[-1]):
        list_jobs(World().manager, query)
