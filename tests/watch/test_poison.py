"""Which job a message is about; a poison queue may contain any text."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.runner.blob_message import BlobMessage
from gem_core.watch.poison import job_of_message
from tests.builders import JOB

TICKETS = "gem-tickets"


def message(**changes: object) -> str:
    values = {
        "Type": "BlobTrigger",
        "FunctionId": "Host.Functions.deliver_results",
        "BlobType": "BlockBlob",
        "ContainerName": TICKETS,
        "BlobName": f"{JOB}.json",
        "ETag": "0x1",
    }
    return json.dumps(values | changes)


def test_a_message_of_the_storage_extension_is_read() -> None:
    """The Storage extension of the Functions host defines its format."""
    text = BlobMessage("Host.Functions.deliver_results", TICKETS, f"{JOB}.json", "0x1").to_json()
    assert job_of_message(text) == JOB


def test_a_message_in_base64_is_read() -> None:
    text = base64.b64encode(message().encode()).decode()
    assert job_of_message(text) == JOB


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        "{}",
        "not json",
        "bm90IGpzb24=",
        '{"ContainerName": "gem-tickets"}',
        message(ContainerName="other"),
        message(BlobName=7),
        message(BlobName=f"{JOB}.txt"),
        message(BlobName=f"folder/{JOB}.json"),
        message(BlobName="../x.json"),
        message(BlobName=".json"),
        "[" * 100_000,
    ],
    ids=[f"text-{number}" for number in range(14)],
)
def test_an_unknown_message_has_no_job(text: str) -> None:
    assert job_of_message(text) is None


@given(st.text() | st.binary().map(lambda held: base64.b64encode(held).decode()))
def test_any_text_gives_a_job_or_none(text: str) -> None:
    assert job_of_message(text) is None
