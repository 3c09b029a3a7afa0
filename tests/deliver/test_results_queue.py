"""Manifests reach a real queue, in the configured encoding."""

import base64
import uuid

import pytest
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from devkit.azurite import ACCOUNT, Azurite
from gem_core.deliver.results_queue import ResultsQueue
from gem_core.errors import StoreError, StoreMissing

BODY = '{"id": "1", "data": {"name": "<&> \\u00e9"}}'


def client(azurite: Azurite, *, encoded: bool = False) -> QueueClient:
    return QueueClient.from_connection_string(
        azurite.connection_string,
        f"q{uuid.uuid4().hex}",
        message_encode_policy=TextBase64EncodePolicy() if encoded else None,
    )


@pytest.mark.parametrize("encoded", [True, False], ids=["base64", "none"])
def test_a_message_is_received_as_it_was_sent(azurite: Azurite, *, encoded: bool) -> None:
    with client(azurite, encoded=encoded) as queue:
        queue.create_queue()
        ResultsQueue(queue).send(BODY)
        message = queue.receive_message()
    assert message
    raw = message.content
    assert (base64.b64decode(raw).decode() if encoded else raw) == BODY


@pytest.mark.parametrize("encoded", [True, False], ids=["base64", "none"])
def test_the_longest_manifest_fits(azurite: Azurite, *, encoded: bool) -> None:
    with client(azurite, encoded=encoded) as queue:
        queue.create_queue()
        ResultsQueue(queue).send("x" * 48 * 1024)
        assert queue.receive_message()


def test_a_message_never_expires(azurite: Azurite) -> None:
    with client(azurite) as queue:
        queue.create_queue()
        ResultsQueue(queue).send(BODY)
        message = queue.receive_message()
    assert message
    assert message.expires_on
    assert message.expires_on.year == 9999


def test_a_missing_queue_is_named(azurite: Azurite) -> None:
    with (
        client(azurite) as queue,
        pytest.raises(StoreMissing, match=f"'{queue.queue_name}' does not exist in GEM_STATE"),
    ):
        ResultsQueue(queue).send(BODY)


def test_a_refused_message_is_a_store_error_without_the_key(azurite: Azurite) -> None:
    key = "d3Jvbmcta2V5LXdyb25nLWtleQ=="
    credential = {"account_name": ACCOUNT, "account_key": key}
    with QueueClient(azurite.queue_uri, "any", credential=credential) as queue:
        with pytest.raises(StoreError, match="queue 'any'") as caught:
            ResultsQueue(queue).send(BODY)
        assert key not in str(caught.value)
