"""A poison queue on real storage."""

import uuid
from collections.abc import Iterator

import pytest
from azure.storage.queue import QueueClient

from devkit.azurite import ACCOUNT, Azurite
from gem_core.deliver.poison_queue import PoisonQueue
from gem_core.errors import StoreRefused
from gem_core.watch.poison import PAGE


@pytest.fixture
def client(azurite: Azurite) -> Iterator[QueueClient]:
    """A queue that does not exist yet."""
    name = f"q{uuid.uuid4().hex}"
    with QueueClient.from_connection_string(azurite.connection_string, name) as client:
        yield client


def test_a_queue_that_does_not_exist_is_empty(client: QueueClient) -> None:
    """The Functions host creates it when it first needs it."""
    queue = PoisonQueue(client)
    assert (queue.name, queue.count()) == (client.queue_name, 0)
    assert (queue.peek(), queue.take()) == ((), ())


def test_peeking_changes_nothing(client: QueueClient) -> None:
    client.create_queue()
    client.send_message("one")
    queue = PoisonQueue(client)
    for _ in range(2):
        (message,) = queue.peek()
        assert (message.text, message.receipt) == ("one", "")
    assert message.since
    assert queue.count() == 1


def test_a_taken_message_is_hidden_until_it_is_put_back(client: QueueClient) -> None:
    client.create_queue()
    for number in range(PAGE + 1):
        client.send_message(str(number))
    queue = PoisonQueue(client)
    first, second = queue.take(), queue.take()
    assert (len(first), len(second), queue.take()) == (PAGE, 1, ())
    assert queue.count() == PAGE + 1
    queue.delete(first[0])
    for message in (*first[1:], *second):
        queue.put_back(message)
    assert sorted(int(message.text) for message in queue.peek()) == list(range(1, PAGE + 1))


def test_a_message_that_another_reader_has_taken_does_not_change(client: QueueClient) -> None:
    """The message became visible again, and another reader has taken it."""
    client.create_queue()
    client.send_message("one")
    queue = PoisonQueue(client)
    (mine,) = queue.take()
    queue.put_back(mine)
    (taken_again,) = queue.take()
    queue.delete(mine)
    queue.put_back(mine)
    assert queue.count() == 1
    queue.delete(taken_again)
    queue.delete(taken_again)
    assert queue.count() == 0


@pytest.mark.parametrize("call", ["count", "peek", "take"])
def test_a_wrong_key_is_refused_and_not_shown(azurite: Azurite, call: str) -> None:
    key = "d3Jvbmcta2V5LXdyb25nLWtleQ=="
    credential = {"account_name": ACCOUNT, "account_key": key}
    with QueueClient(azurite.queue_uri, "any", credential=credential) as client:
        with pytest.raises(StoreRefused, match="queue 'any': storage refused") as caught:
            getattr(PoisonQueue(client), call)()
        assert key not in str(caught.value)
