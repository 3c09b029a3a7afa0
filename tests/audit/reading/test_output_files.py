"""What GEM names never leaves its place: one label of a host, one container, a path within it."""

import posixpath
from urllib.parse import unquote

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from hypothesis import given
from hypothesis import strategies as st

from devkit.azurite import Azurite
from gem_core.audit.reading.output_files import OutputFiles, name_within, place, place_container
from gem_core.errors import OutputMissing, OutputRefused

HOSTILE = (
    "",
    ".",
    "..",
    "../other",
    "a/../b.parquet",
    "a/..",
    "./b.parquet",
    "a//b.parquet",
    "/b.parquet",
    "/default/b.parquet",
    "a/",
    "%2e%2e/other",
    "a%2F..%2F..%2Fother",
    "%2e%2e%2Fother",
    "%5cother",
    "..\\other",
    "https://evil.example/x.parquet",
    "//evil.example/x",
    "a\nb",
    "a\x00b",
    "a\u202eb",
    "\ud800",
    "x" * 10_000,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_names_are_refused(name: str) -> None:
    with pytest.raises(
        OutputRefused, match=r"GEM's file name .* (cannot be|is more than)"
    ) as error:
        name_within(name)
    assert len(str(error.value)) < 200
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "roads_matched.parquet",
        "straße.parquet",
        "a b.parquet",
        "x?sv=1",
        "in/2026/roads_matched.parquet",
        "roads_matched.parquet/part-00000-1.snappy.parquet",
        "default/roads.parquet",  # a folder, no container
        "100%/a%2Fb.parquet",
        "...",
        "_SUCCESS",
    ],
)
def test_other_names_stay_as_they_are(name: str) -> None:
    assert name_within(name) == name


@pytest.mark.parametrize(
    "storage_id",
    [
        None,
        "",
        "../x",
        "a/b",
        "a.evil.example",
        "a?sv=1",
        "a#",
        "a@b",
        "-a",
        "a-",
        "x" * 64,
        "ä",
        "a\n",
    ],
)
def test_hostile_storage_ids_are_refused(storage_id: str | None) -> None:
    with pytest.raises(OutputRefused, match="GEM's storageId"):
        place("https://{storageId}.blob.core.windows.net", storage_id)


@pytest.mark.parametrize("storage_id", ["storage-001", "a", "F47AC10B-58cc-4372-a567-0e02b2c3d479"])
def test_a_storage_id_takes_its_place(storage_id: str) -> None:
    assert place("https://{storageId}.example", storage_id) == f"https://{storage_id}.example"


NO_CONTAINERS = ("Storage-001", "a--b", "ab", "a", "x" * 64)


@pytest.mark.parametrize("storage_id", NO_CONTAINERS)
def test_a_storage_id_that_can_be_no_container_is_refused(storage_id: str) -> None:
    """Azure would answer 400 whenever it is asked, so the job would be tried for ever."""
    with pytest.raises(OutputRefused) as error:
        place_container("{storageId}", storage_id)
    assert "storageId" in str(error.value)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("template", ["{storageId}", "c-{storageId}", "{storageId}-x"])
def test_a_storage_id_makes_a_container(template: str) -> None:
    assert place_container(template, "storage-001") == template.replace(
        "{storageId}", "storage-001"
    )


def test_what_surrounds_a_storage_id_counts() -> None:
    assert place_container("c-{storageId}", "a") == "c-a"
    with pytest.raises(OutputRefused):
        place_container("c-{storageId}", "x" * 62)


def test_a_container_that_the_operator_names_is_not_gems_fault() -> None:
    assert place_container("$web", "Storage-001") == "$web"


def test_a_template_without_a_place_needs_no_id() -> None:
    assert place("default", "../x") == place("default", None) == "default"


@given(st.text() | st.text("./%2eEfF5cC\\a"))
def test_no_text_leaves_its_container(name: str) -> None:
    """Nor has what is accepted a letter that a log or header would suffer by."""
    try:
        accepted = name_within(name)
    except OutputRefused:
        return
    assert accepted.isprintable()
    for read in (accepted, unquote(accepted)):
        path = f"/container/{read}"
        assert posixpath.normpath(path) == path
        assert "\\" not in read


def test_files_are_opened_where_the_storage_id_says(azurite: Azurite) -> None:
    asked: list[tuple[str, str]] = []
    with BlobServiceClient.from_connection_string(azurite.connection_string) as blobs:

        def connect(service_uri: str, container: str) -> ContainerClient:
            asked.append((service_uri, container))
            return blobs.get_container_client(container)

        blobs.create_container("files-storage-001").upload_blob("x?sv=1 ä.parquet", b"data")
        files = OutputFiles("https://{storageId}.example", "files-{storageId}", connect)
        source = files.open("storage-001", "x?sv=1 ä.parquet")
        assert source.read(0, 4) == b"data"
        assert source.name == "x?sv=1 ä.parquet"
        with pytest.raises(OutputMissing):
            files.open("storage-001", "other.parquet")
        blobs.get_blob_client("files-storage-001", "a/%2F/b.parquet").upload_blob(b"below")
        assert files.address("storage-001", "a/c.parquet").endswith(
            "/files-storage-001/a/c.parquet"
        )
        assert files.names("storage-001", "a") == ("a/%2F/b.parquet",)
        assert files.names("storage-001", "b") == ()
    assert set(asked) == {("https://storage-001.example", "files-storage-001")}


def test_nothing_is_asked_for_a_name_that_is_refused() -> None:
    def connect(service_uri: str, container: str) -> ContainerClient:
        raise AssertionError(f"asked {service_uri} for {container}")

    files = OutputFiles("https://{storageId}.example", "default", connect)
    with pytest.raises(OutputRefused):
        files.open("evil.example/", "x.parquet")
    files = OutputFiles("https://o.example", "{storageId}", connect)
    for storage_id in NO_CONTAINERS:
        with pytest.raises(OutputRefused):
            files.open(storage_id, "x.parquet")
