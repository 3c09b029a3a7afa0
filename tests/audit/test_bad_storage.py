"""Output storage behaving badly over HTTP, by the real SDK: delivered in the end, never wrongly."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from azure.storage.blob import ContainerClient
from hypothesis import example, given
from hypothesis import strategies as st

from devkit.blob_server import Blob, Fault, serving
from gem_core.audit.reading import blob_source
from gem_core.audit.reading.output_files import OutputFiles
from gem_core.deliver.cloud_event import CloudEvent
from gem_core.errors import OutputError, OutputRefused, OutputUnreachable
from gem_core.flows.audit_output import MAX_AUDITS
from gem_core.flows.deliver_results import deliver_results
from gem_core.flows.deliverer import Deliverer
from gem_core.watch.record import Stage
from tests.builders import JOB, OUTPUT, World, finished, matched_file

WHOLE = matched_file()
OTHER = matched_file(matched=20)


type Act = Callable[[Blob], Fault | None]
"""What happens at one read."""


@pytest.fixture(autouse=True, scope="module")
def longer_than_a_head() -> Iterator[None]:
    """The output is longer than what comes when it is opened, so an audit has more reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blob_source, "HEAD_BYTES", 4)
        yield


GONE = Fault(refusal=(404, "BlobNotFound"))


def overwritten(blob: Blob) -> None:
    """Another version is there before the read is answered."""
    blob.data, blob.etag = OTHER, f"0x{int(blob.etag, 16) + 1:X}"


def deleted(blob: Blob) -> Fault:
    """From now on."""
    blob.fault = lambda _: GONE
    return GONE


def throttled(_: Blob) -> Fault:
    return Fault(refusal=(503, "ServerBusy"))


def broken_off(_: Blob) -> Fault:
    return Fault(lost_bytes=100)


def blob_with(*acts: Act) -> Blob:
    """A blob to which something happens at each of the first reads of a pinned version."""
    left = list(acts)
    blob = Blob(WHOLE)
    blob.fault = lambda asked: left.pop(0)(blob) if left and asked.if_match else None
    return blob


@contextmanager
def delivering(blob: Blob) -> Iterator[tuple[World, Deliverer]]:
    """A settled job whose output lies on the server."""
    world = World()
    world.settle(finished(outputFileName="roads_matched.parquet"))
    with serving(blob) as container:
        files = OutputFiles("", "default", connect=lambda *_: container)
        yield world, replace(world.deliverer, files=files)


def manifest(world: World) -> dict[str, Any]:
    (body,) = world.queue.sent
    event: dict[str, Any] = json.loads(body)
    return event


def deliver_when_due(world: World, deliverer: Deliverer) -> None:
    """The next ticket of a delivery that is postponed."""
    world.clock.now = max(world.clock.now, world.record().due_at)
    deliver_results(deliverer, JOB)


def test_the_page_names_that_output() -> None:
    assert OUTPUT == "roads_matched.parquet"


def test_overwritten_between_the_first_read_and_the_next() -> None:
    """412 to If-Match: audited anew, as what it became."""
    blob = blob_with(overwritten)
    with delivering(blob) as (world, deliverer):
        deliver_results(deliverer, JOB)
    data = manifest(world)["data"]
    assert data["output"]["etag"] == blob.etag
    assert data["match"]["matches"] == 20


def test_an_output_overwritten_at_every_read_is_invalid_in_the_end() -> None:
    """A bounded number of times, then invalid with the reason."""
    blob = blob_with(*[overwritten] * 50)
    with delivering(blob) as (world, deliverer):
        deliver_results(deliverer, JOB)
    data = manifest(world)["data"]
    assert data["outcome"] == "invalid"
    failed = {one["name"]: one["detail"] for one in data["checks"]["notPassed"] if "detail" in one}
    assert "overwritten each time" in failed["unchanged_while_read"]
    assert len([one for one in blob.requests if one.if_match]) == MAX_AUDITS


def test_overwritten_between_the_audit_and_the_send() -> None:
    """While the page was drawn, say: what is sent is about the output that is there."""
    blob = Blob(WHOLE)
    with delivering(blob) as (world, deliverer):
        keep = deliverer.outbox.keep
        left = [overwritten]

        def kept(job_run_id: str, event: CloudEvent) -> CloudEvent:
            stored = keep(job_run_id, event)
            if left:
                left.pop()(blob)
            return stored

        deliverer.outbox.keep = kept  # type: ignore[method-assign]
        assert deliver_results(deliverer, JOB) is None
        assert world.record().stage is Stage.SETTLED
        deliver_when_due(world, deliverer)
    data = manifest(world)["data"]
    assert data["output"]["etag"] == blob.etag
    assert data["match"]["matches"] == 20


def test_a_small_output_that_is_overwritten_during_its_audit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It came whole when it was opened. The one read before the send sees another version."""
    monkeypatch.setattr(blob_source, "HEAD_BYTES", len(WHOLE))
    blob = blob_with(overwritten)
    with delivering(blob) as (world, deliverer):
        assert deliver_results(deliverer, JOB) is None
        assert world.queue.sent == []
        deliver_when_due(world, deliverer)
    data = manifest(world)["data"]
    assert data["output"]["etag"] == blob.etag
    assert data["match"]["matches"] == 20


def test_deleted_while_it_is_read_is_waited_for() -> None:
    with delivering(blob_with(deleted)) as (world, deliverer):
        assert deliver_results(deliverer, JOB) is None
        assert world.record().stage is Stage.SETTLED
        assert world.queue.sent == []


def test_an_output_that_appears_after_twenty_minutes_is_delivered() -> None:
    blob = Blob(WHOLE, fault=lambda _: GONE)
    with delivering(blob) as (world, deliverer):
        for _ in range(10):
            assert deliver_results(deliverer, JOB) is None
            assert world.record().due_at <= world.clock() + timedelta(minutes=10)
            world.clock.move(minutes=2)
        blob.fault = lambda _: None
        deliver_when_due(world, deliverer)
    assert manifest(world)["data"]["outcome"] == "valid"


def ignoring_ranges(_: Blob) -> Fault:
    return Fault(ignores_ranges=True)


def of_a_proxy(_: Blob) -> Fault:
    return Fault(refusal=(404, ""))


@pytest.mark.parametrize("trouble", [throttled, broken_off, ignoring_ranges, of_a_proxy])
def test_trouble_in_the_middle_leaves_the_job_to_the_next_ticket(
    trouble: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The SDK would sleep for a second before each of its further tries.
    monkeypatch.setattr("azure.storage.blob._download.time.sleep", lambda _: None)
    blob = blob_with(*[trouble] * 9)
    with delivering(blob) as (world, deliverer):
        assert deliver_results(deliverer, JOB) is None
        assert world.record().stage is Stage.SETTLED
        assert world.record().due_at > world.clock()  # postponed, not raised
        assert world.queue.sent == []
        blob.fault = lambda _: None
        deliver_when_due(world, deliverer)
    assert manifest(world)["data"]["outcome"] == "valid"


def test_a_read_that_times_out_postpones_the_delivery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_up = Event()
    blob = Blob(WHOLE, fault=lambda _: (given_up.wait(), None)[1])
    with delivering(blob) as (world, deliverer):
        with monkeypatch.context() as hasty:
            hasty.setattr(blob_source, "_TIMEOUTS", {"read_timeout": 0.2})
            assert deliver_results(deliverer, JOB) is None
        assert world.record().stage is Stage.SETTLED
        given_up.set()
        deliver_when_due(world, deliverer)
    assert manifest(world)["data"]["outcome"] == "valid"


NAMES = st.text(max_size=60) | st.sampled_from(
    ["../x", "..", "a/../../b", "https://evil.example/x", "//evil.example", "x?sv=1&sig=a", "a#b"]
)


@given(NAMES, st.none() | NAMES)
@example("x" * 10_000, None)
@example("%2e%2e%2fother", "storage-001")
@example("x?sv=2024&sig=abc", "storage-001")
@example("x\r\nHost: evil", "a\r\nb")
def test_whatever_gem_names_the_address_stays_in_its_place(
    name: str, storage_id: str | None
) -> None:
    """On the configured host and container, one path segment, and no query."""
    asked: list[str] = []

    def connect(service_uri: str, container: str) -> ContainerClient:
        client = ContainerClient(service_uri, container, retry_total=0)
        real = client.get_blob_client

        def noted(blob: str) -> Any:  # noqa: ANN401 - a BlobClient
            asked.append(real(blob).url)
            raise OutputUnreachable("enough was seen")

        client.get_blob_client = noted  # type: ignore[method-assign,assignment]
        return client

    files = OutputFiles("https://{storageId}.store.example", "box-{storageId}", connect=connect)
    try:
        files.open(storage_id, name)
    except OutputRefused:
        assert not asked
        return
    except OutputError:
        pass
    (address,) = asked
    prefix = f"https://{storage_id}.store.example/box-{storage_id}/"
    assert address.startswith(prefix)
    segment = address.removeprefix(prefix)
    assert segment
    assert not {"/", "?", "#", "\\", " "} & set(segment)
    assert segment not in {".", ".."}
    assert segment.isascii()
    assert segment.isprintable()
