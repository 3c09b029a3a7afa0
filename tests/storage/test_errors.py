"""What storage says of an error is untrusted; each code and status means one of our errors."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import override

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContainerClient, StorageErrorCode
from azure.storage.queue import QueueClient

from gem_core.audit.reading.blob_source import open_blob
from gem_core.deliver.results_queue import ResultsQueue
from gem_core.errors import (
    CourierError,
    DocumentArchived,
    NoToken,
    OutputChanged,
    OutputMissing,
    OutputUnreachable,
    OutputWithoutToken,
    PageUnknown,
    RangeNotSatisfiable,
    RecordConflict,
    RecordMissing,
    StoreError,
    StoreMissing,
    StoreRefused,
    StoreWithoutToken,
    TokenRefused,
)
from gem_core.storage import errors
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.errors import (
    container_errors,
    opening_errors,
    queue_errors,
    reading_errors,
)
from tests.gem.raw_server import RawServer
from tests.gem.server import Asked, Reply, ScriptedServer

SIGNATURE = "sv=2024-11-04&sp=rw&sig=c2VjcmV0"

type Errors = Callable[[str], AbstractContextManager[None]]


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


@pytest.mark.parametrize("ask", [_get, _open, _send])
def test_a_server_that_does_not_speak_http_gives_no_signature_away(
    ask: Callable[[str], None],
) -> None:
    """The SDK's own text repeats the line that it could not read."""
    said = f"/account?{SIGNATURE}\r\n\r\n".encode()
    with (
        RawServer(lambda write, _: write(said)) as server,
        pytest.raises(CourierError, match=r"no answer.*ServiceResponseError: ") as caught,
    ):
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
    assert errors._code(answered(500, code)) == word


def test_every_code_of_the_sdk_is_one_but_those_about_an_md5() -> None:
    codes = {code.value for code in StorageErrorCode}
    for code in codes - {"InvalidMd5", "Md5Mismatch"}:
        assert errors._code(answered(500, code)) == code


def answered(status: int, code: object) -> HttpResponseError:
    """An answer of storage, as the SDK raises it."""
    error = HttpResponseError("text of the server")
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined] # as the SDK does it
    return error


def translated(errors: AbstractContextManager[None], error: Exception) -> CourierError:
    with pytest.raises(CourierError) as caught, errors:
        raise error
    assert "text of the server" not in str(caught.value)
    return caught.value


_EITHER: tuple[tuple[int, str, type[StoreError], str], ...] = (
    (401, "InvalidAuthenticationInfo", StoreRefused, "storage refused (InvalidAuthenticationInfo)"),
    (403, "", StoreRefused, "storage refused (403)"),
    (404, "", StoreError, "storage answered 404"),
    (409, "LeaseIdMissing", StoreError, "storage answered LeaseIdMissing"),
    (412, "LeaseIdMissing", StoreError, "storage answered LeaseIdMissing"),
    (503, "ServerBusy", StoreError, "storage answered ServerBusy"),
)
_CONTAINER: tuple[tuple[int, str, type[StoreError], str], ...] = (
    (404, "BlobNotFound", RecordMissing, "another writer removed it first"),
    (404, "ContainerNotFound", StoreMissing, "does not exist in GEM_STATE: create it"),
    (409, "BlobAlreadyExists", RecordConflict, "another writer was first"),
    (409, "BlobArchived", DocumentArchived, "in the archive tier: rehydrate it"),
    (409, "BlobBeingRehydrated", DocumentArchived, "in the archive tier: rehydrate it"),
    (409, "ContainerBeingDeleted", StoreMissing, "is being deleted in GEM_STATE"),
    (412, "ConditionNotMet", RecordConflict, "another writer was first"),
)
_QUEUE: tuple[tuple[int, str, type[StoreError], str], ...] = (
    (400, "PopReceiptMismatch", RecordConflict, "another writer was first"),
    (404, "MessageNotFound", RecordMissing, "another writer removed it first"),
    (404, "QueueNotFound", StoreMissing, "does not exist in GEM_STATE: create it"),
    (409, "QueueBeingDeleted", StoreMissing, "is being deleted in GEM_STATE"),
)


@pytest.mark.parametrize(("status", "code", "meant", "said"), _EITHER + _CONTAINER)
def test_each_answer_of_a_container_is_an_error_of_ours(
    status: int, code: str, meant: type[StoreError], said: str
) -> None:
    error = translated(container_errors("gem-jobs"), answered(status, code))
    assert type(error) is meant
    assert str(error).startswith("container 'gem-jobs'")
    assert said in str(error)


@pytest.mark.parametrize(("status", "code", "meant", "said"), _EITHER + _QUEUE)
def test_each_answer_of_a_queue_is_an_error_of_ours(
    status: int, code: str, meant: type[StoreError], said: str
) -> None:
    error = translated(queue_errors("gem-results"), answered(status, code))
    assert type(error) is meant
    assert str(error).startswith("queue 'gem-results'")
    assert said in str(error)


@pytest.mark.parametrize("action", ["get", "put", "create", "replace"])
def test_the_sdk_passes_on_that_a_document_is_archived(action: str) -> None:
    """It makes another error of some answers of 409."""
    actions: dict[str, Callable[[BlobDocuments], object]] = {
        "get": lambda documents: documents.get("a"),
        "put": lambda documents: documents.put("a", b"x"),
        "create": lambda documents: documents.create("a", b"x"),
        "replace": lambda documents: documents.replace("a", b"x", etag="0x1"),
    }
    with (
        ScriptedServer(Reply(409, headers={"x-ms-error-code": "BlobArchived"})) as server,
        ContainerClient.from_container_url(f"{server.url}/c?{SIGNATURE}") as container,
        pytest.raises(DocumentArchived),
    ):
        actions[action](BlobDocuments(container))
    assert len(server.asked) == 1


@pytest.mark.parametrize(("resumed", "meant"), [(True, PageUnknown), (False, StoreError)])
def test_a_listing_that_cannot_go_on(*, resumed: bool, meant: type[StoreError]) -> None:
    errors = container_errors("gem-jobs", resumed=resumed)
    assert type(translated(errors, answered(400, "OutOfRangeInput"))) is meant


@pytest.mark.parametrize(
    ("status", "code", "opening", "reading"),
    [
        (404, "BlobNotFound", OutputMissing, OutputChanged),
        (404, "", OutputUnreachable, OutputUnreachable),  # may be of a proxy
        (404, "ContainerNotFound", OutputUnreachable, OutputUnreachable),
        (412, "", OutputUnreachable, OutputUnreachable),
        (412, "ConditionNotMet", OutputUnreachable, OutputChanged),
        (416, "InvalidRange", RangeNotSatisfiable, OutputUnreachable),
        (403, "AuthorizationFailure", OutputUnreachable, OutputUnreachable),
        (503, "ServerBusy", OutputUnreachable, OutputUnreachable),
    ],
)
def test_what_the_storage_of_gem_answers(
    status: int, code: str, opening: type[CourierError], reading: type[CourierError]
) -> None:
    url = "https://a.example/c/n"
    error = answered(status, code)
    assert type(translated(opening_errors(url), error)) is opening
    assert type(translated(reading_errors(url), error)) is reading


@pytest.mark.parametrize(
    ("errors", "refused", "later"),
    [
        (container_errors, StoreRefused, StoreWithoutToken),
        (queue_errors, StoreRefused, StoreWithoutToken),
        (opening_errors, OutputUnreachable, OutputWithoutToken),
        (reading_errors, OutputUnreachable, OutputWithoutToken),
    ],
)
def test_no_token_is_told_apart_from_a_refusal(
    errors: Errors, refused: type[CourierError], later: type[CourierError]
) -> None:
    for error, kind in ((TokenRefused("no token: az login"), refused), (NoToken("later"), later)):
        found = translated(errors("x"), error)
        assert type(found) is kind
        assert str(error) in str(found)


@pytest.mark.parametrize("errors", [container_errors, queue_errors, opening_errors, reading_errors])
def test_what_is_no_error_of_storage_stays_as_it_is(errors: Errors) -> None:
    with pytest.raises(ValueError, match=r"^mine$"), errors("x"):
        raise ValueError("mine")
