"""`python -m gem_core poison` on real queues."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.storage.queue import QueueClient

from devkit.azurite import Azurite
from devkit.runner.blob_message import BlobMessage
from gem_core.storage.names import POISON_QUEUES, TICKETS
from gem_core.watch.record import Settlement
from gem_core.wiring.environment import now
from gem_core.wiring.managers import state_manager
from tests.commands.command_runner import CommandRunner

EMPTY = [f"{name}: 0 messages\n" for name in POISON_QUEUES]


@pytest.fixture
def queue(command: CommandRunner) -> Iterator[QueueClient]:
    """The poison queue of the blob trigger."""
    storage = command.azurite.connection_string
    with QueueClient.from_connection_string(storage, POISON_QUEUES[0]) as client:
        yield client
        client.clear_messages()  # other tests share the emulator


def fail(command: CommandRunner, queue: QueueClient, job_run_id: str) -> None:
    """Add a settled job and a poison message about its ticket."""
    command("jobs", "register", job_run_id)
    manager = state_manager()
    held = manager.registry.get(job_run_id)
    assert held
    past = now() - timedelta(minutes=3)
    record = held.record.settled(Settlement.LOST, past).ticket_raised()
    manager.registry.replace(held, record.due(now() + timedelta(minutes=5)))
    ticket(queue, job_run_id)


def ticket(queue: QueueClient, job_run_id: str) -> None:
    name = f"{job_run_id}.json"
    queue.send_message(
        BlobMessage("Host.Functions.deliver_results", TICKETS, name, "0x1").to_json()
    )


def test_a_queue_that_does_not_exist_is_empty(command: CommandRunner, queue: QueueClient) -> None:
    queue.delete_queue()
    assert command("poison", "list")[:2] == (0, EMPTY[0] + EMPTY[1])
    assert command("poison", "replay")[:2] == (0, "no poison messages\n")
    queue.create_queue()


def test_poison_messages_are_listed_with_their_jobs(
    command: CommandRunner, queue: QueueClient
) -> None:
    fail(command, queue, "job-1")
    queue.send_message("\u202ehello")
    code, out, _ = command("poison", "list")
    assert code == 0
    lines = out.splitlines()
    assert lines[1].split()[:3] == ["job-1", "settled", "1"]
    assert lines[2].startswith("unknown")
    assert lines[2].endswith("\\u202ehello")
    assert lines[-2:] == [f"{POISON_QUEUES[0]}: 2 messages", EMPTY[1].rstrip()]
    found = command.json("poison", "list")
    assert [each["jobRunId"] for each in found["messages"]] == ["job-1", None]
    assert command.json("poison", "list") == found


def test_a_batch_of_the_app_is_recognized(command: CommandRunner, azurite: Azurite) -> None:
    batch = {"until": "2026-11-26T08:30:00+00:00", "jobs": []}
    name = POISON_QUEUES[1]
    with QueueClient.from_connection_string(azurite.connection_string, name) as checks:
        checks.send_message(json.dumps(batch))
        assert command("poison", "list")[1].splitlines()[1].startswith("a batch of jobs ")
        (found,) = command.json("poison", "list")["messages"]
        checks.clear_messages()
    assert (found["jobRunId"], found["isBatch"]) == (None, True)


def test_a_replay_raises_tickets_and_empties_the_queue(
    command: CommandRunner, queue: QueueClient
) -> None:
    for job_run_id in ("job-1", "job-2"):
        fail(command, queue, job_run_id)
    ticket(queue, "job-2")
    code, out, _ = command("poison", "replay")
    assert code == 0
    assert sorted(out.splitlines()) == [
        "job-1: ticket_raised",
        "job-2: ticket_raised",
        "job-2: ticket_raised",
    ]
    tickets = state_manager().registry._tickets.every()
    assert sorted(each.name for each in tickets) == ["job-1.json", "job-2.json"]
    assert queue.peek_messages(5) == []


def test_an_unknown_message_stays_and_is_reported(
    command: CommandRunner, queue: QueueClient
) -> None:
    fail(command, queue, "job-1")
    queue.send_message("hello")
    code, out, _ = command("poison", "replay", "--json")
    assert code == 1
    results = [json.loads(line) for line in out.splitlines()]
    assert {(each["jobRunId"], each["result"], each["kept"]) for each in results} == {
        ("job-1", "ticket_raised", False),
        (None, "unknown_message", True),
    }
    (left,) = queue.peek_messages(5)
    assert left.content == "hello"
    code, out, _ = command("poison", "replay")
    assert (code, out.split(";")[0]) == (1, "a message: unknown_message")


def test_only_the_named_jobs_are_replayed(command: CommandRunner, queue: QueueClient) -> None:
    for job_run_id in ("job-1", "job-2"):
        fail(command, queue, job_run_id)
    code, out, err = command("poison", "replay", "job-2", "absent")
    assert (code, out) == (1, "job-2: ticket_raised\n")
    assert err == "absent: this job has no poison message\n"
    (left,) = queue.peek_messages(5)
    assert "job-1" in left.content
