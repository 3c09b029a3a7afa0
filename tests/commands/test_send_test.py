"""`send-test`, and `jobs redeliver` for one route, on real stores."""

import base64
import json
from collections.abc import Iterator

import pytest
from azure.storage.queue import QueueClient

from devkit.azurite import Azurite
from gem_core.deliver.manifest import EVENT_TYPE
from gem_core.deliver.sample import SAMPLE_TYPE, sample_manifest
from gem_core.flows.deliver_results import deliver_results
from gem_core.wiring import delivery
from gem_core.wiring.managers import state_manager
from tests.builders import check_manifest
from tests.commands.command_runner import CommandRunner
from tests.commands.stored_jobs import settle, stored
from tests.fakes import START
from tests.wiring.fresh import forget_edges

ROUTE = "gem-maps"


@pytest.fixture
def route(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> Iterator[QueueClient]:
    """The queue of a further route."""
    monkeypatch.setenv("GEM_RESULTS_ROUTES", json.dumps([{"queue": ROUTE}]))
    with QueueClient.from_connection_string(azurite.connection_string, ROUTE) as queue:
        queue.create_queue()
        yield queue
        queue.delete_queue()


def taken(queue: QueueClient) -> list[str]:
    """The messages, which are then gone."""
    found = list(queue.receive_messages())
    for message in found:
        queue.delete_message(message)
    return [base64.b64decode(message.content).decode() for message in found]


def test_a_sample_is_a_manifest_of_a_type_of_its_own() -> None:
    event = sample_manifest("0" * 32, START)
    told = json.loads(event.body)
    assert told["type"] == SAMPLE_TYPE != EVENT_TYPE
    check_manifest(json.dumps(told | {"type": EVENT_TYPE}))
    assert (told["data"]["outcome"], told["data"]["output"]) == ("cancelled", None)


def test_a_test_message_is_put_on_the_named_queue(
    command: CommandRunner, route: QueueClient
) -> None:
    code, out, err = command("send-test", "--route", ROUTE)
    (body,) = taken(route)
    id_ = json.loads(body)["id"]
    assert (code, out, err) == (0, f"sent to the queue {ROUTE}: {id_}\n", "")
    other = command.json("send-test")
    assert (other["route"], other["queue"]) == ("default", "gem-results")
    assert other["id"] != id_
    assert taken(route) == []


def test_a_route_that_does_not_exist(command: CommandRunner, route: QueueClient) -> None:
    code, out, err = command("send-test", "--route", "maps")
    assert (code, out) == (1, "")
    assert "there is no route 'maps'" in err
    assert err.endswith("have default, gem-maps\n")
    assert taken(route) == []


def test_a_queue_that_does_not_exist(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEM_RESULTS_ROUTES", json.dumps([{"queue": "gem-gone"}]))
    code, out, err = command("send-test", "--route", "gem-gone")
    assert (code, out) == (2, "")
    assert "queue 'gem-gone' does not exist" in err


@pytest.fixture
def app(command: CommandRunner, monkeypatch: pytest.MonkeyPatch, azurite: Azurite) -> None:  # noqa: ARG001 - it empties the environment first
    """All settings, so that this process can deliver as the app does."""
    monkeypatch.setenv("GEM_API_KEY", "key")
    monkeypatch.setenv("GEM_OUTPUT", azurite.connection_string)
    monkeypatch.setenv("GEM_CHECK_SCHEDULE", "0 * * * * *")


def deliver(job_run_id: str) -> None:
    forget_edges()
    deliver_results(delivery.deliverer(), job_run_id)


@pytest.mark.usefixtures("app")
def test_two_listeners_get_all_of_theirs_although_one_queue_is_gone_for_a_while(
    command: CommandRunner, route: QueueClient, azurite: Azurite
) -> None:
    """By the app's own wiring, on real queues; then the route gets a manifest again."""
    settle(command, "job-1")
    settle(command, "job-2")
    deliver("job-1")
    (first,) = taken(route)
    route.delete_queue()
    deliver("job-2")
    with QueueClient.from_connection_string(azurite.connection_string, "gem-results") as default:
        one, two = taken(default)
    assert first in {one, two}
    assert stored("job-1").record.stage == "delivered"
    waiting = stored("job-2").record
    assert (waiting.stage, waiting.attempts.pending) == ("settled", (ROUTE,))
    _, shown, _ = command("jobs", "show", "job-2")
    assert "not sent to gem-maps" in " ".join(shown.split())
    route.create_queue()
    code, out, _ = command("jobs", "redeliver", "job-2", "--route", ROUTE)
    assert (code, out) == (
        0,
        "job-2: redelivered, its ticket was raised; the app will send it to gem-maps\n",
    )
    deliver("job-2")
    assert {first, *taken(route)} == {one, two}
    assert stored("job-2").record.stage == "delivered"
    command("jobs", "redeliver", "job-1", "--route", ROUTE)
    deliver("job-1")
    assert taken(route) == [first]


@pytest.mark.usefixtures("app")
def test_a_route_is_dropped(command: CommandRunner, route: QueueClient) -> None:
    settle(command, "job-1")
    route.delete_queue()
    deliver("job-1")
    assert command("jobs", "redeliver", "job-1", "--drop-route", ROUTE)[:2] == (
        0,
        "job-1: route dropped, delivered\n",
    )
    assert stored("job-1").record.stage == "delivered"
    assert [each.job_run_id for each in state_manager().registry.open_jobs()] == []
    code, _, err = command("jobs", "redeliver", "job-1", "--drop-route", ROUTE)
    assert code == 1
    assert "it waits for none" in err
    route.create_queue()
