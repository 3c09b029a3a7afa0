"""What GEM names never leaves its place: one label of a host, one container, one path segment."""

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from hypothesis import given
from hypothesis import strategies as st

from devkit.azurite import Azurite
from gem_core.audit.reading.output_files import OutputFiles, place, place_container, plain_name
from gem_core.errors import OutputMissing, OutputRefused

HOSTILE = (
    "",
    ".",
    "..",
    "../other",
    "a/b.parquet",
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
        plain_name(name)
    assert len(str(error.value)) < 200
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "name", ["roads_matched.parquet", "straße.parquet", "a b.parquet", "x?sv=1"]
)
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert plain_name(name) == name


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


@given(st.text())
def test_no_text_leaves_its_segment(name: str) -> None:
    """Whatever is accepted has no separator, and no letter that a log or header would suffer by."""
    try:
        accepted = plain_name(name)
    except OutputRefused:
        return
    assert not {"/", "\\"} & set(accepted)
    assert accepted.isprintable()
    assert accepted not in {"", ".", ".."}


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
