"""The queue of batches on real storage: batches are hidden, stored and counted."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.storage.queue import (
    QueueClient,
    QueueServiceClient,
    TextBase64DecodePolicy,
    TextBase64EncodePolicy,
)

from devkit.azurite import Azurite
from gem_core.errors import StoreError, StoreMissing
from gem_core.watch.batch import CLAIM_TIME, Batch, batch_from_json
from gem_core.watch.batch_queue import BatchQueue
from gem_core.watch.marker import OpenJob
from tests.fakes import START

BATCH = Batch(START + CLAIM_TIME, (OpenJob("job-1", START + CLAIM_TIME, START, "0x1"),))


@pytest.fixture
def queue(azurite: Azurite) -> Iterator[QueueClient]:
    """A queue that does not exist yet."""
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service.get_queue_client(
            f"q{uuid.uuid4().hex}",
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )


def test_a_batch_is_received_as_it_was_sent(queue: QueueClient) -> None:
    queue.create_queue()
    batches = BatchQueue(queue)
    assert batches.waiting() == 0
    batches.send(BATCH, hidden_for=timedelta(0), expires_after=CLAIM_TIME)
    assert batches.waiting() == 1
    (message,) = queue.receive_messages()
    assert batch_from_json(message.content) == BATCH
    assert message.expires_on
    assert message.inserted_on
    assert message.expires_on - message.inserted_on == CLAIM_TIME


def test_a_hidden_batch_is_counted_and_not_received(queue: QueueClient) -> None:
    queue.create_queue()
    batches = BatchQueue(queue)
    batches.send(BATCH, hidden_for=timedelta(minutes=9), expires_after=CLAIM_TIME)
    assert batches.waiting() == 1
    assert not list(queue.receive_messages())


def test_the_queue_accepts_a_batch_shortly_before_it_expires(queue: QueueClient) -> None:
    # The service refuses a message that would still be hidden when it expires.
    queue.create_queue()
    BatchQueue(queue).send(
        BATCH, hidden_for=timedelta(seconds=20), expires_after=timedelta(seconds=3.5)
    )


def test_a_missing_queue_is_named(queue: QueueClient) -> None:
    batches = BatchQueue(queue)
    with pytest.raises(StoreMissing, match=f"'{queue.queue_name}' does not exist in GEM_STATE"):
        batches.waiting()
    with pytest.raises(StoreMissing):
        batches.send(BATCH, hidden_for=timedelta(0), expires_after=CLAIM_TIME)


def test_an_unreachable_queue_is_a_store_error() -> None:
    key = {"account_name": "a", "account_key": "aa=="}
    with (
        QueueClient("http://127.0.0.1:1/a", "any", credential=key, retry_total=0) as client,
        pytest.raises(StoreError, match="queue 'any'"),
    ):
        BatchQueue(client).waiting()
