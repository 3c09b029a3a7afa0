"""Events that come several times at once, and a delivery that is asked for again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from devkit.simulator import CLEAN
from tests.integration.courier import Courier, wait_for
from tests.integration.event_bus import post_event

SOON = replace(CLEAN, queued_for=0, running_for=60)


@pytest.fixture(scope="module")
def job(courier: Courier) -> str:
    """A job that was delivered."""
    courier.up.simulator.add_job("job-repeats", SOON)
    courier.register("job-repeats")
    courier.delivered("job-repeats")
    return "job-repeats"


def send(courier: Courier, job: str) -> int:
    """One event about the job's ticket."""
    return post_event(courier.up.runner, courier.up.azurite.blob_uri, f"{job}.json")


def test_five_events_at_once_send_nothing_more(courier: Courier, job: str) -> None:
    """A delivered job is left alone, however often its ticket is announced."""
    before = len(courier.events_of(job))
    skipped = courier.log().count('"event": "delivery_skipped"')
    with ThreadPoolExecutor(5) as pool:
        assert set(pool.map(lambda _: send(courier, job), range(5))) == {202}
    wait_for(
        lambda: courier.log().count('"event": "delivery_skipped"') >= skipped + 5 or None,
        what="five skipped deliveries",
    )
    assert len(courier.events_of(job)) == before


def test_a_redelivery_has_the_same_id(courier: Courier, job: str) -> None:
    """The same bytes again: a listener drops it by its id."""
    first = courier.events_of(job)[-1]
    count = len(courier.events)
    assert courier.call("POST", f"jobs/{job}/redeliver").status_code == 202

    def look() -> bool | None:
        courier.receive()
        return len(courier.events) > count or None

    wait_for(look, what="the manifest again")
    assert courier.events_of(job)[-1] == first
    courier.delivered(job)


def test_another_output_has_another_id(courier: Courier, job: str) -> None:
    """A new file under the same name is audited anew when it is delivered again."""
    first = courier.events_of(job)[-1]
    courier.up.simulator.add_job("job-repeats", SOON, seed=7)

    def redelivered() -> str | None:
        courier.call("POST", f"jobs/{job}/redeliver")
        courier.delivered(job)
        etag = courier.events_of(job)[-1]["data"]["output"]["etag"]
        return etag if etag != first["data"]["output"]["etag"] else None

    wait_for(redelivered, what="a manifest of the new output")
    assert courier.events_of(job)[-1]["id"] != first["id"]
