"""What storage says of an error is untrusted: a word of its own, or nothing."""

from collections.abc import Callable
from typing import override

import pytest
from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient, StorageErrorCode
from azure.storage.queue import QueueClient

from gem_core.audit.reading.blob_source import open_blob
from gem_core.deliver.results_queue import ResultsQueue
from gem_core.errors import CourierError
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.errors import code_of
from tests.gem.server import Asked, Reply, ScriptedServer

SIGNATURE = "sv=2024-11-04&sp=rw&sig=c2VjcmV0"


class Echo(ScriptedServer):
    """Repeats the end of the address as the error's code."""

    @override
    def reply(self, asked: Asked) -> Reply:
        return Reply(self.replies[0].status, headers={"x-ms-error-code": f"E{asked.path}"})


def _get(url: str) -> None:
    with ContainerClient.from_container_url(f"{url}/c?{SIGNATURE}", retry_total=0) as container:
        BlobDocuments(container).get("a")


def _open(url: str) -> None:
    with ContainerClient.from_container_url(f"{url}/c?{SIGNATURE}", retry_total=0) as container:
        open_blob(container, "a")


def _send(url: str) -> None:
    with QueueClient.from_queue_url(f"{url}/q?{SIGNATURE}", retry_total=0) as queue:
        ResultsQueue(queue).send("{}")


@pytest.mark.parametrize("status", [400, 403, 409, 500])
@pytest.mark.parametrize("ask", [_get, _open, _send])
def test_a_storage_that_repeats_the_address_gives_no_signature_away(
    ask: Callable[[str], None], status: int
) -> None:
    with Echo(Reply(status)) as server, pytest.raises(CourierError) as caught:
        ask(f"{server.url}/account")
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("BlobNotFound", "BlobNotFound"),
        ("x" * 64, "x" * 64),
        ("x" * 65, ""),
        ("Evil\x1b[2J", ""),
        ("BlobNotFound\n", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_code_is_one_word(code: object, word: str) -> None:
    error = AzureError("")
    error.error_code = code  # type: ignore[attr-defined] # as the SDK does it
    assert code_of(error) == word


def test_every_code_of_the_sdk_is_one_but_those_about_an_md5() -> None:
    codes = {code.value for code in StorageErrorCode}
    for code in codes - {"InvalidMd5", "Md5Mismatch"}:
        error = AzureError("")
        error.error_code = code  # type: ignore[attr-defined] # as the SDK does it
        assert code_of(error) == code
