"""One version of a file, and what each kind of trouble with it is called."""

import gzip
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import ContainerClient

from devkit.blob_server import Asked, Blob, Fault, serving
from gem_core.audit.reading.blob_source import HEAD_BYTES, BlobSource, open_blob
from gem_core.audit.reading.source import FileSource, Source, open_file
from gem_core.errors import OutputChanged, OutputMissing, OutputUnreachable, TokenRefused

NAME = "roads_matched.parquet"
DATA = bytes(range(256))


def always(fault: Fault) -> Callable[[Asked], Fault]:
    return lambda _: fault


@pytest.fixture
def blob() -> Blob:
    return Blob(DATA)


@pytest.fixture
def container(blob: Blob) -> Iterator[ContainerClient]:
    with serving(blob) as container:
        yield container


def test_a_blob_is_pinned_with_one_request(blob: Blob, container: ContainerClient) -> None:
    blob.version_id = "2026-01-20T10:25:00.0000000Z"
    source: Source = open_blob(container, NAME)
    assert source.url.endswith(f"/default/{NAME}")
    assert (source.container, source.name, source.etag) == ("default", NAME, "0x8D1")
    assert source.size_bytes == 256
    assert source.last_modified == datetime(2026, 1, 20, 10, 25, tzinfo=UTC)
    assert source.version_id == blob.version_id
    assert blob.requests == [("GET", f"bytes=0-{HEAD_BYTES - 1}", None)]


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1])
def test_opening_a_blob_brings_its_first_mebibyte(
    blob: Blob, container: ContainerClient, size: int
) -> None:
    blob.data = bytes(size)
    source = open_blob(container, NAME)
    assert (source.size_bytes, source.etag) == (size, "0x8D1")
    assert source.head == bytes(min(size, HEAD_BYTES))
    assert len(blob.requests) == (1 if size else 2)


def test_a_blob_without_versions_has_no_version_id(container: ContainerClient) -> None:
    assert open_blob(container, NAME).version_id is None


def test_a_range_is_one_request_that_names_the_version(
    blob: Blob, container: ContainerClient
) -> None:
    source = open_blob(container, NAME)
    blob.requests.clear()
    assert source.read(16, 32) == DATA[16:48]
    assert blob.requests == [("GET", "bytes=16-47", '"0x8D1"')]


def test_a_blob_that_was_overwritten_is_never_read(blob: Blob, container: ContainerClient) -> None:
    source = open_blob(container, NAME)
    blob.etag = "0x8D2"
    with pytest.raises(OutputChanged, match="replaced or deleted"):
        source.read(0, 16)


def test_a_blob_that_vanishes_while_read_has_changed(
    blob: Blob, container: ContainerClient
) -> None:
    source = open_blob(container, NAME)
    blob.fault = always(Fault(refusal=(404, "BlobNotFound")))
    with pytest.raises(OutputChanged):
        source.read(0, 16)


def test_a_missing_blob_is_missing(blob: Blob, container: ContainerClient) -> None:
    blob.fault = always(Fault(refusal=(404, "BlobNotFound")))
    with pytest.raises(OutputMissing, match=NAME):
        open_blob(container, NAME)


def test_a_missing_container_is_a_wrong_setting(blob: Blob, container: ContainerClient) -> None:
    blob.fault = always(Fault(refusal=(404, "ContainerNotFound")))
    with pytest.raises(OutputUnreachable, match=r"no such container: .*\(404 Cont.* Res.*\)"):
        open_blob(container, NAME)


def test_another_name_is_missing(container: ContainerClient) -> None:
    with pytest.raises(OutputMissing):
        open_blob(container, "other.parquet")


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        pytest.param((401, "InvalidAuthenticationInfo"), "Storage Blob Data Reader", id="401"),
        pytest.param((403, "AuthorizationPermissionMismatch"), "storage firewall", id="403"),
        pytest.param((409, "BlobArchived"), "rehydrate", id="archived"),
        pytest.param((409, "BlobBeingRehydrated"), "cannot serve the file now", id="409"),
        pytest.param((503, "ServerBusy"), "cannot serve the file now", id="503"),
        pytest.param((500, "InternalError"), "cannot serve the file now", id="500"),
    ],
)
def test_a_refusal_says_what_to_do(
    blob: Blob, container: ContainerClient, refusal: tuple[int, str], advice: str
) -> None:
    source = open_blob(container, NAME)
    blob.fault = always(Fault(refusal=refusal))
    for ask in (lambda: open_blob(container, NAME), lambda: source.read(0, 1)):
        with pytest.raises(OutputUnreachable, match=advice) as caught:
            ask()
        assert refusal[1] in str(caught.value)
        assert "SECRET" not in str(caught.value)


def test_a_body_that_breaks_off_is_no_answer(
    blob: Blob, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The SDK would sleep for a second before each of its further tries.
    monkeypatch.setattr("azure.storage.blob._download.time.sleep", lambda _: None)
    source = open_blob(container, NAME)
    blob.fault = always(Fault(lost_bytes=3))
    with pytest.raises(OutputUnreachable):
        source.read(0, 16)


def test_a_body_that_is_too_short_is_no_answer(blob: Blob, container: ContainerClient) -> None:
    """A server that says so and sends less than was asked for."""
    source = open_blob(container, NAME)
    blob.data = blob.data[:10]
    with pytest.raises(OutputUnreachable, match="10 of 16 bytes"):
        source.read(0, 16)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "aws-chunked"])
@pytest.mark.parametrize("data", [DATA, gzip.compress(DATA)], ids=["plain", "compressed"])
def test_a_blob_is_read_as_it_is_stored(
    blob: Blob, container: ContainerClient, encoding: str, data: bytes
) -> None:
    """Whether its Content-Encoding is true or not: the SDK would inflate each range."""
    blob.data, blob.content_encoding = data, encoding
    source = open_blob(container, NAME)
    assert (source.size_bytes, source.head) == (len(data), data)
    assert source.read(8, 16) == data[8:24]


@pytest.mark.parametrize("fault", [Fault(ignores_ranges=True), Fault(other_range=True)])
def test_another_range_than_was_asked_for_is_no_answer(
    blob: Blob, container: ContainerClient, fault: Fault
) -> None:
    source = open_blob(container, NAME)
    blob.fault = always(fault)
    for ask in (lambda: open_blob(container, NAME), lambda: source.read(16, 32)):
        with pytest.raises(OutputUnreachable, match="may ignore ranges") as caught:
            ask()
        assert "SECRET" not in str(caught.value)


def test_another_version_than_was_asked_for_is_no_answer(
    blob: Blob, container: ContainerClient
) -> None:
    """As a cache that does not know conditions gives it."""
    source = open_blob(container, NAME)
    blob.etag, blob.fault = "0x8D2", always(Fault(ignores_condition=True))
    with pytest.raises(OutputUnreachable, match="not the range or version"):
        source.read(16, 32)


def test_a_404_of_a_proxy_says_nothing(blob: Blob, container: ContainerClient) -> None:
    source = open_blob(container, NAME)
    blob.fault = always(Fault(refusal=(404, "")))
    for ask in (lambda: open_blob(container, NAME), lambda: source.read(16, 32)):
        with pytest.raises(OutputUnreachable, match="cannot serve the file now"):
            ask()


def test_a_service_that_is_not_there_is_unreachable(blob: Blob) -> None:
    with serving(blob) as container:
        address = container.url
    with (
        ContainerClient.from_container_url(address, retry_total=0) as gone,
        pytest.raises(OutputUnreachable, match="no answer: check the address") as caught,
    ):
        open_blob(gone, NAME)
    assert "SECRET" not in str(caught.value)


class _NoCredential:
    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        raise TokenRefused("no token: check the identity")


def test_an_identity_without_a_token_is_unreachable() -> None:
    with (
        ContainerClient(
            "https://127.0.0.1:1", "default", credential=_NoCredential(), retry_total=0
        ) as container,
        pytest.raises(OutputUnreachable, match="no token: check the identity"),
    ):
        open_blob(container, NAME)


def test_a_blob_source_shows_no_signature(container: ContainerClient) -> None:
    source = open_blob(container, NAME)
    assert isinstance(source, BlobSource)
    assert "SECRET" not in source.url
    assert "SECRET" not in repr(source)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(DATA)
    return path


def test_a_local_file_is_a_source(path: Path) -> None:
    source: Source = open_file(path)
    assert isinstance(source, FileSource)
    assert source.url == path.as_uri()
    assert (source.container, source.name) == (str(path.parent), NAME)
    assert source.size_bytes == 256
    assert source.version_id is None
    assert source.last_modified is not None
    assert source.read(16, 32) == DATA[16:48]


def test_a_file_that_is_overwritten_has_changed(path: Path) -> None:
    source = open_file(path)
    path.write_bytes(DATA)
    os.utime(path, ns=(1, 1))
    with pytest.raises(OutputChanged, match="replaced"):
        source.read(0, 1)


def test_a_file_that_vanishes_has_changed(path: Path) -> None:
    source = open_file(path)
    path.unlink()
    with pytest.raises(OutputChanged, match="deleted"):
        source.read(0, 1)


def test_a_file_cut_short_between_the_look_and_the_read_has_changed(path: Path) -> None:
    source = open_file(path)
    # Reading past the end is what happens when a file is cut right after it was opened.
    with pytest.raises(OutputChanged, match="cut short"):
        source.read(250, 10)


def test_a_file_turned_into_a_folder_is_unreachable(path: Path) -> None:
    source = open_file(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(OutputUnreachable, match="Is a directory"):
        source.read(0, 1)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OutputMissing):
        open_file(tmp_path / NAME)


@pytest.mark.parametrize("name", [".", f"{NAME}/below"])
def test_what_is_no_file_is_unreachable(path: Path, name: str) -> None:
    with pytest.raises(OutputUnreachable):
        open_file(path.parent / name)
